package dev.sluice.worker.runner;

/** A model does not fit into the memory there is; the message has the numbers. */
public final class MemoryException extends RuntimeException {
  private static final long serialVersionUID = 1;

  MemoryException(String message) {
    super(message);
  }
}
