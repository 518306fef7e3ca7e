package dev.sluice.worker.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/**
 * Rotates vectors before they are rounded to 8 bits: every {@value #BLOCK} neighbours are
 * multiplied by a Hadamard matrix, H[i][j] = (-1)^popcount(i & j). It spreads a channel that is far
 * larger than the rest over its neighbours, so that the largest value of a row, and with it the
 * step of the rounding, becomes smaller. Since H H^T = {@value #BLOCK} I, products of a rotated
 * vector and a rotated row of weights are {@value #BLOCK} times those of the unrotated.
 *
 * <p>Source: Ashkboos et al., QuaRot, 2024 (arXiv:2404.00456), here in blocks.
 */
final class Rotation {
  /** Elements that are mixed with each other. */
  static final int BLOCK = 64;

  /** Butterflies within a vector, of strides 1, 2, 4 ... WIDTH / 2. */
  private static final Stage[] STAGES = stages();

  /**
   * A butterfly whose two sides are in one vector: the lower side becomes the sum, the upper one
   * the difference.
   *
   * @param partner exchanges the sides
   * @param sign 1 on the lower side, -1 on the upper one
   */
  private record Stage(VectorShuffle<Float> partner, FloatVector sign) {}

  private Rotation() {}

  private static Stage[] stages() {
    Stage[] stages = new Stage[Integer.numberOfTrailingZeros(Lanes.WIDTH)];
    for (int i = 0; i < stages.length; i++) {
      int stride = 1 << i;
      boolean[] upper = new boolean[Lanes.WIDTH];
      for (int lane = 0; lane < upper.length; lane++) {
        upper[lane] = (lane & stride) != 0;
      }
      stages[i] =
          new Stage(
              VectorShuffle.fromOp(Lanes.SPECIES, lane -> lane ^ stride),
              Lanes.splat(1f).blend(-1f, VectorMask.fromArray(Lanes.SPECIES, upper, 0)));
    }
    return stages;
  }

  /**
   * Rotates in place.
   *
   * @param count a multiple of {@value #BLOCK}
   */
  static void rotate(float[] values, int count) {
    for (int i = 0; i < count; i += Lanes.WIDTH) {
      within(values, i);
    }
    for (int stride = Lanes.WIDTH; stride < BLOCK; stride *= 2) {
      for (int pair = 0; pair < count; pair += 2 * stride) {
        across(values, pair, stride);
      }
    }
  }

  private static void within(float[] values, int at) {
    FloatVector x = Lanes.load(values, at);
    for (Stage stage : STAGES) {
      // x * 1 and x * -1 are exact: the result is that of one addition or subtraction.
      x = x.fma(stage.sign, x.rearrange(stage.partner));
    }
    x.intoArray(values, at);
  }

  private static void across(float[] values, int at, int stride) {
    for (int i = at; i < at + stride; i += Lanes.WIDTH) {
      FloatVector low = Lanes.load(values, i);
      FloatVector high = Lanes.load(values, i + stride);
      low.add(high).intoArray(values, i);
      low.sub(high).intoArray(values, i + stride);
    }
  }
}
