package dev.sluice.app.cli;

/** Wrong input that the parser of arguments could not see. Ends a command with exit code 2. */
public final class UsageException extends RuntimeException {
  /**
   * @param message with the value and what was expected
   */
  public UsageException(String message) {
    super(message);
  }

  public UsageException(String message, Throwable cause) {
    super(message, cause);
  }
}
