package dev.sluice.worker.sampling;

/** No token can be chosen from these logits. */
public final class SamplingException extends RuntimeException {
  public SamplingException(String message) {
    super(message);
  }
}
