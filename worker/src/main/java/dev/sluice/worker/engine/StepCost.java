package dev.sluice.worker.engine;

/**
 * What the time of a step depends on. A pair is a token and a token before it that it attends to.
 *
 * <p>Threading: engine thread. Allocates nothing.
 */
final class StepCost {
  /** Features, scaled so that ordinary values are around 1. */
  static final int SIZE = 5;

  private final double[] features = new double[SIZE];
  private int decodes;

  StepCost() {
    clear();
  }

  void clear() {
    decodes = 0;
    features[0] = 1; // the step itself
    for (int i = 1; i < SIZE; i++) {
      features[i] = 0;
    }
  }

  /** A step with the decoding sequences of another one, and no prompts. */
  void setDecodes(StepCost other) {
    clear();
    features[1] = other.decodes / 100.0;
    features[2] = other.decodes / 10.0;
    features[4] = other.features[4];
    decodes = other.decodes;
  }

  /**
   * Adds a sequence that computes its latest token.
   *
   * @param past tokens before it
   */
  void addDecode(int past) {
    decodes++;
    features[1] += 1 / 100.0;
    features[2] += 1 / 10.0;
    features[4] += past / 1e4;
  }

  /**
   * Adds a part of a prompt.
   *
   * @param past tokens before it
   * @param count tokens
   * @param logits whether a token is sampled behind it
   */
  void addPrefill(int past, int count, boolean logits) {
    features[1] += count / 100.0;
    features[2] += logits ? 1 / 10.0 : 0;
    features[3] += count * (past + 0.5 * count) / 1e5;
  }

  boolean hasPrefill() {
    return features[3] > 0;
  }

  double feature(int index) {
    return features[index];
  }
}
