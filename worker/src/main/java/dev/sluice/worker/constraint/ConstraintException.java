package dev.sluice.worker.constraint;

/** A constraint cannot be compiled; the message says what is wrong with it. */
final class ConstraintException extends RuntimeException {
  ConstraintException(String message) {
    super(message);
  }
}
