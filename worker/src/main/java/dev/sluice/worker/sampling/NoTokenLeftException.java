package dev.sluice.worker.sampling;

/** Every token is banned. */
public final class NoTokenLeftException extends SamplingException {
  NoTokenLeftException() {
    super("every token is banned (expected: at least one logit above -Infinity)");
  }
}
