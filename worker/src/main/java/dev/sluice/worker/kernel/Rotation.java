package dev.sluice.worker.kernel;

import jdk.incubator.vector.FloatVector;
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

  // Constants one by one: the compiler does not look into arrays.
  private static final VectorShuffle<Float> SWAP_1 = swap(1);
  private static final VectorShuffle<Float> SWAP_2 = swap(2);
  private static final VectorShuffle<Float> SWAP_4 = swap(4);
  private static final VectorShuffle<Float> SWAP_8 = swap(8);
  private static final FloatVector SIGN_1 = sign(1);
  private static final FloatVector SIGN_2 = sign(2);
  private static final FloatVector SIGN_4 = sign(4);
  private static final FloatVector SIGN_8 = sign(8);

  private Rotation() {}

  /** Exchanges lanes that are {@code stride} apart. */
  private static VectorShuffle<Float> swap(int stride) {
    return VectorShuffle.fromOp(Lanes.SPECIES, lane -> (lane ^ stride) % Lanes.WIDTH);
  }

  /** 1 in the lower of two such lanes, -1 in the upper. */
  private static FloatVector sign(int stride) {
    float[] signs = new float[Lanes.WIDTH];
    for (int lane = 0; lane < signs.length; lane++) {
      signs[lane] = (lane & stride) == 0 ? 1 : -1;
    }
    return Lanes.load(signs, 0);
  }

  /**
   * Rotates in place.
   *
   * @param count a multiple of {@value #BLOCK}
   */
  static void rotate(float[] values, int count) {
    for (int block = 0; block < count; block += BLOCK) {
      for (int half = block; half < block + BLOCK; half += BLOCK / 2) {
        if (Lanes.WIDTH == 8) {
          fourVectors(values, half, 8);
        } else {
          strides(values, half, BLOCK / 2);
        }
      }
      for (int i = block; i < block + BLOCK / 2; i += Lanes.WIDTH) {
        across(values, i, BLOCK / 2);
      }
    }
  }

  /** All butterflies within 4 vectors, in registers. */
  private static void fourVectors(float[] values, int at, int width) {
    FloatVector a = within(Lanes.load(values, at));
    FloatVector b = within(Lanes.load(values, at + width));
    FloatVector c = within(Lanes.load(values, at + 2 * width));
    FloatVector d = within(Lanes.load(values, at + 3 * width));
    FloatVector ab = a.add(b);
    FloatVector cd = c.add(d);
    b = a.sub(b);
    d = c.sub(d);
    ab.add(cd).intoArray(values, at);
    b.add(d).intoArray(values, at + width);
    ab.sub(cd).intoArray(values, at + 2 * width);
    b.sub(d).intoArray(values, at + 3 * width);
  }

  /** The same one after the other, for vectors of any width. */
  private static void strides(float[] values, int at, int count) {
    for (int i = at; i < at + count; i += Lanes.WIDTH) {
      within(Lanes.load(values, i)).intoArray(values, i);
    }
    for (int stride = Lanes.WIDTH; stride < count; stride *= 2) {
      for (int pair = at; pair < at + count; pair += 2 * stride) {
        for (int i = pair; i < pair + stride; i += Lanes.WIDTH) {
          across(values, i, stride);
        }
      }
    }
  }

  private static void across(float[] values, int at, int stride) {
    FloatVector low = Lanes.load(values, at);
    FloatVector high = Lanes.load(values, at + stride);
    low.add(high).intoArray(values, at);
    low.sub(high).intoArray(values, at + stride);
  }

  /**
   * Butterflies whose two sides are in one vector: the lower one becomes the sum, the upper one the
   * difference. x * 1 and x * -1 are exact, so that each is rounded once, like an addition.
   */
  private static FloatVector within(FloatVector vector) {
    FloatVector x = vector;
    x = x.fma(SIGN_1, x.rearrange(SWAP_1));
    x = x.fma(SIGN_2, x.rearrange(SWAP_2));
    if (Lanes.WIDTH > 4) {
      x = x.fma(SIGN_4, x.rearrange(SWAP_4));
    }
    if (Lanes.WIDTH > 8) {
      x = x.fma(SIGN_8, x.rearrange(SWAP_8));
    }
    return x;
  }
}
