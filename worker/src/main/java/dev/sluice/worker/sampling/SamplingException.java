package dev.sluice.worker.sampling;

/** No token can be chosen from these logits. */
public class SamplingException extends RuntimeException {
  public SamplingException(String message) {
    super(message);
  }
}
