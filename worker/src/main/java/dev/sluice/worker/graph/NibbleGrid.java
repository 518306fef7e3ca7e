package dev.sluice.worker.graph;

/**
 * 16 values that stand for a block of weights: (0 to 15 - zero) * scale.
 *
 * @param scale distance of two values
 * @param zero the nibble of the weight 0
 */
record NibbleGrid(float scale, int zero) {
  private static final int LARGEST = 15;

  /** Grids that are tried cut off up to a fifth of a block's range. */
  private static final float CUT_STEP = 0.05f;

  private static final int CUT_STEPS = 4;

  /** The grid with the least squared error among those tried. */
  static NibbleGrid fit(float[] weights) {
    float low = 0;
    float high = 0;
    for (float weight : weights) {
      low = Math.min(low, weight);
      high = Math.max(high, weight);
    }
    if (low == high) {
      return new NibbleGrid(0, 0);
    }
    NibbleGrid best = between(low, high);
    double bestError = best.error(weights);
    for (int i = 1; i <= CUT_STEPS && bestError > 0; i++) {
      float keep = 1 - i * CUT_STEP;
      NibbleGrid grid = between(low * keep, high * keep);
      double error = grid.error(weights);
      if (error < bestError) {
        best = grid;
        bestError = error;
      }
    }
    return best;
  }

  private static NibbleGrid between(float low, float high) {
    float scale = (high - low) / LARGEST;
    return new NibbleGrid(scale, Math.clamp(Math.round(-low / scale), 0, LARGEST));
  }

  /** The nibble nearest to a weight. */
  int nibble(float weight) {
    return scale == 0 ? zero : Math.clamp(Math.round(weight / scale) + zero, 0, LARGEST);
  }

  private double error(float[] weights) {
    double sum = 0;
    for (float weight : weights) {
      double error = weight - (nibble(weight) - zero) * (double) scale;
      sum += error * error;
    }
    return sum;
  }
}
