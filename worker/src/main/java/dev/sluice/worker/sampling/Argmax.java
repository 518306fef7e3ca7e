package dev.sluice.worker.sampling;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Finds the most likely token. Comparisons are exact, so the number of lanes does not matter. */
final class Argmax {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;

  private Argmax() {}

  /**
   * The token with the largest logit, of equals the one with the lowest id.
   *
   * @throws SamplingException if a logit is not a number or plus infinity, or all are minus
   *     infinity
   */
  static int of(float[] logits) {
    float max = max(logits);
    if (Float.isNaN(max)) {
      throw new SamplingException(
          "logit of token " + firstNaN(logits) + ": NaN (expected: a number)");
    }
    int token = firstEqual(logits, max);
    if (max == Float.POSITIVE_INFINITY) {
      throw new SamplingException(
          "logit of token " + token + ": Infinity (expected: a finite number)");
    }
    if (max == Float.NEGATIVE_INFINITY) {
      throw new SamplingException(
          "every token is banned (expected: at least one logit above -Infinity)");
    }
    return token;
  }

  /** The largest logit; NaN if there is one. */
  private static float max(float[] logits) {
    FloatVector lanes = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
    int end = SPECIES.loopBound(logits.length);
    for (int i = 0; i < end; i += SPECIES.length()) {
      lanes = lanes.max(FloatVector.fromArray(SPECIES, logits, i));
    }
    float max = lanes.reduceLanes(VectorOperators.MAX);
    for (int i = end; i < logits.length; i++) {
      max = Math.max(max, logits[i]);
    }
    return max;
  }

  private static int firstEqual(float[] logits, float value) {
    int end = SPECIES.loopBound(logits.length);
    int i = 0;
    for (; i < end; i += SPECIES.length()) {
      VectorMask<Float> equal = FloatVector.fromArray(SPECIES, logits, i).eq(value);
      if (equal.anyTrue()) {
        return i + equal.firstTrue();
      }
    }
    while (logits[i] != value) {
      i++;
    }
    return i;
  }

  private static int firstNaN(float[] logits) {
    int i = 0;
    while (!Float.isNaN(logits[i])) {
      i++;
    }
    return i;
  }
}
