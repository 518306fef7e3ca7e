package dev.sluice.worker.model;

/** A model file cannot be used. The message names the file, the tensor and what was expected. */
public final class ModelFileException extends RuntimeException {
  public ModelFileException(String message) {
    super(message);
  }

  public ModelFileException(String message, Throwable cause) {
    super(message, cause);
  }
}
