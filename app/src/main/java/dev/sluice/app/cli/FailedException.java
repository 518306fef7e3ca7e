package dev.sluice.app.cli;

/** A command that could not do its work; its message says all. Ends it with exit code 1. */
public final class FailedException extends RuntimeException {
  public FailedException(String message) {
    super(message);
  }

  public FailedException(String message, Throwable cause) {
    super(message, cause);
  }
}
