package dev.sluice.worker.sampling;

/**
 * How the next token is chosen from the logits. Order: {@code rules}, {@code penalties}, then the
 * others in the order of the fields.
 *
 * @param temperature divides the logits; 0 is greedy (the most likely token, ties to the lowest id)
 * @param topK keeps the k most likely tokens; 0 keeps all
 * @param topP keeps the fewest most likely tokens whose probabilities sum to at least this; above 0
 *     to 1
 * @param minP drops tokens less likely than this times the most likely one; 0 to 1
 * @param typicalP keeps the fewest tokens, of those whose information is nearest to the
 *     distribution's entropy, whose probabilities sum to at least this; above 0 to 1
 * @param seed fixes the randomness; any bits
 */
public record SamplingParams(
    float temperature,
    int topK,
    float topP,
    float minP,
    float typicalP,
    Penalties penalties,
    TokenRules rules,
    long seed) {
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
    if (!(minP >= 0 && minP <= 1)) {
      throw new IllegalArgumentException("minP: " + minP + " (expected: 0 to 1)");
    }
    if (!(typicalP > 0 && typicalP <= 1)) {
      throw new IllegalArgumentException("typicalP: " + typicalP + " (expected: above 0 to 1)");
    }
  }

  /** Parameters without min-p, typical-p, penalties and rules. */
  public SamplingParams(float temperature, int topK, float topP, long seed) {
    this(temperature, topK, topP, 0, 1, Penalties.NONE, TokenRules.NONE, seed);
  }

  /** The same but for min-p. */
  public SamplingParams withMinP(float value) {
    return new SamplingParams(temperature, topK, topP, value, typicalP, penalties, rules, seed);
  }

  /** The same but for typical-p. */
  public SamplingParams withTypicalP(float value) {
    return new SamplingParams(temperature, topK, topP, minP, value, penalties, rules, seed);
  }

  /** The same but for the penalties. */
  public SamplingParams withPenalties(Penalties value) {
    return new SamplingParams(temperature, topK, topP, minP, typicalP, value, rules, seed);
  }

  /** The same but for the rules. */
  public SamplingParams withRules(TokenRules value) {
    return new SamplingParams(temperature, topK, topP, minP, typicalP, penalties, value, seed);
  }
}
