package dev.sluice.worker.engine;

/** A step could not be computed. */
public final class ModelRunnerException extends RuntimeException {
  public ModelRunnerException(String message, Throwable cause) {
    super(message, cause);
  }
}
