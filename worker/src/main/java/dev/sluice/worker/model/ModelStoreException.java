package dev.sluice.worker.model;

/** A model cannot be had: its name is not known, or no source delivered it. */
public final class ModelStoreException extends RuntimeException {
  public ModelStoreException(String message) {
    super(message);
  }

  public ModelStoreException(String message, Throwable cause) {
    super(message, cause);
  }
}
