package dev.sluice.worker.kernel;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * RMS norm of one row, x * weight / sqrt(mean(x^2) + epsilon).
 *
 * <p>Threading: one object per thread.
 */
final class RowNorm {
  private final float epsilon;
  private final float[] parts = new float[Lanes.LOGICAL];

  RowNorm(float epsilon) {
    this.epsilon = epsilon;
  }

  /** One for each thread. */
  static RowNorm[] each(int threads, float epsilon) {
    RowNorm[] norms = new RowNorm[threads];
    Arrays.setAll(norms, thread -> new RowNorm(epsilon));
    return norms;
  }

  /**
   * Norms in place.
   *
   * @param weight address of float [row.length]
   */
  void apply(float[] row, long weight) {
    for (int lane = 0; lane < Lanes.LOGICAL; lane += Lanes.WIDTH) {
      FloatVector sum = FloatVector.zero(Lanes.SPECIES);
      for (int i = lane; i < row.length; i += Lanes.LOGICAL) {
        FloatVector x = Lanes.load(row, i);
        sum = x.fma(x, sum);
      }
      sum.intoArray(parts, lane);
    }
    float mean = Lanes.sum(parts) / row.length;
    float factor = (float) (1 / Math.sqrt(mean + epsilon));
    for (int i = 0; i < row.length; i += Lanes.WIDTH) {
      Lanes.load(row, i).mul(factor).mul(Lanes.load(weight + 4L * i)).intoArray(row, i);
    }
  }
}
