package dev.sluice.worker.sampling;

/**
 * What makes tokens that were there before less likely, as the field computes it: first positive
 * logits are divided and negative ones multiplied by {@code repetition}, then {@code presence} and
 * {@code frequency} times the count are subtracted.
 *
 * @param repetition for tokens of prompt and output; above 0, 1 is off
 * @param presence for tokens of the output; 0 is off
 * @param frequency for every occurrence in the output; 0 is off
 */
public record Penalties(float repetition, float presence, float frequency) {
  public static final Penalties NONE = new Penalties(1, 0, 0);

  public Penalties {
    if (!(repetition > 0 && repetition <= Float.MAX_VALUE)) {
      throw new IllegalArgumentException(
          "repetition: " + repetition + " (expected: a number above 0)");
    }
    if (!Float.isFinite(presence)) {
      throw new IllegalArgumentException("presence: " + presence + " (expected: a number)");
    }
    if (!Float.isFinite(frequency)) {
      throw new IllegalArgumentException("frequency: " + frequency + " (expected: a number)");
    }
  }

  boolean areOff() {
    return repetition == 1 && presence == 0 && frequency == 0;
  }

  /** Whether it matters which tokens are in the prompt. */
  boolean countPrompt() {
    return repetition != 1;
  }

  /**
   * The logit of a token that was seen.
   *
   * @param outputs times that it was in the output; 0 if it was in the prompt only
   */
  float apply(float logit, int outputs) {
    float repeated = logit > 0 ? logit / repetition : logit * repetition;
    return outputs == 0 ? repeated : repeated - frequency * outputs - presence;
  }
}
