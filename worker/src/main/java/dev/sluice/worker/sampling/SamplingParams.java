package dev.sluice.worker.sampling;

/**
 * How the next token is chosen from the logits; applied in the order of the fields.
 *
 * @param temperature divides the logits; 0 is greedy (the most likely token, ties to the lowest id)
 * @param topK keeps the k most likely tokens; 0 keeps all
 * @param topP keeps the fewest most likely tokens whose probabilities sum to at least this; above 0
 *     to 1
 * @param seed fixes the randomness; any bits
 */
public record SamplingParams(float temperature, int topK, float topP, long seed) {
  /** The most likely token, always. */
  public static final SamplingParams GREEDY = new SamplingParams(0, 0, 1, 0);

  public SamplingParams {
    if (!(temperature >= 0 && temperature <= Float.MAX_VALUE)) {
      throw new IllegalArgumentException(
          "temperature: " + temperature + " (expected: a number >= 0)");
    }
    if (topK < 0) {
      throw new IllegalArgumentException("topK: " + topK + " (expected: >= 0)");
    }
    if (!(topP > 0 && topP <= 1)) {
      throw new IllegalArgumentException("topP: " + topP + " (expected: above 0 to 1)");
    }
  }
}
