package dev.sluice.worker.kernel;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Rounds rows of floats to 8 bits with one scale for each row, after {@link Rotation}.
 *
 * <p>The bytes of a block of {@value #BLOCK} are in the order in which four vectors of 16 floats
 * can be packed with shifts alone: byte 4 * lane + i is element 16 * i + lane. Activations and
 * weights have the same order, so that no product notices.
 *
 * <p>Threading: one object per thread. Allocates nothing after construction.
 */
public final class RowQuantizer {
  /** Rows are multiples of this many elements. */
  public static final int BLOCK = Rotation.BLOCK;

  /** The byte that stands for 0 in an activation. */
  public static final int ZERO = 128;

  private static final float LARGEST = 127f;

  /** 1.5 * 2^23: added to a small float, it leaves no digits behind the point. */
  private static final float ROUND = 12582912f;

  /** 2^23: added to a smaller integer, it leaves the integer in the low bits. */
  private static final float INTEGER = 8388608f;

  /** Products of two rotated vectors are this many times too large; weights' scales make it up. */
  private static final float ROTATION_GAIN = 1f / BLOCK;

  /** Largest weights of a row are cut off in steps of this much, as long as the error falls. */
  private static final float CLIP_STEP = 0.02f;

  private static final int CLIP_STEPS = 10;

  private final float[] row;
  private final float[] parts = new float[Lanes.LOGICAL];

  /**
   * @param width elements of a row
   */
  public RowQuantizer(int width) {
    if (width % BLOCK != 0) {
      throw new IllegalArgumentException(
          "width: " + width + " (expected: a multiple of " + BLOCK + ")");
    }
    this.row = new float[width];
  }

  /** What the next {@link #quantize} reads, [width]. */
  float[] row() {
    return row;
  }

  /**
   * Rounds {@link #row} to uint8, x = (byte - 128) * scale, and spoils it.
   *
   * @param target uint8 [width]
   * @return the scale
   */
  float quantize(long target) {
    Rotation.rotate(row, row.length);
    float largest = largest();
    if (largest == 0) {
      Lanes.fill(target, row.length, (byte) ZERO);
      return 0;
    }
    pack(LARGEST / largest, target);
    return largest / LARGEST;
  }

  /**
   * Calls nothing but the JDK: where the compiler has inlined much already, it stops inlining
   * methods of ours, and vectors that they return would go to the heap.
   */
  private void pack(float inverse, long target) {
    float[] values = row;
    for (int i = 0; i < values.length / Integer.BYTES; i += Lanes.WIDTH) {
      int at = Integer.BYTES * (i & -Lanes.LOGICAL) + (i & Lanes.LOGICAL - 1);
      FloatVector a = FloatVector.fromArray(Lanes.SPECIES, values, at);
      FloatVector b = FloatVector.fromArray(Lanes.SPECIES, values, at + Lanes.LOGICAL);
      FloatVector c = FloatVector.fromArray(Lanes.SPECIES, values, at + 2 * Lanes.LOGICAL);
      FloatVector d = FloatVector.fromArray(Lanes.SPECIES, values, at + 3 * Lanes.LOGICAL);
      a = a.mul(inverse).add(ROUND).sub(ROUND - ZERO); // 1 to 255
      b = b.mul(inverse).add(ROUND).sub(ROUND - ZERO);
      c = c.mul(inverse).add(ROUND).sub(ROUND - ZERO);
      d = d.mul(inverse).add(ROUND).sub(ROUND - ZERO);
      // Pairs are put together as floats, exactly; what INTEGER adds ends up in the upper half.
      IntVector low = b.mul(256f).add(a).add(INTEGER).reinterpretAsInts().and(0xffff);
      IntVector high = d.mul(256f).add(c).add(INTEGER).reinterpretAsInts();
      low.or(high.lanewise(VectorOperators.LSHL, 16))
          .intoMemorySegment(Lanes.MEMORY, target + (long) Integer.BYTES * i, Lanes.ORDER);
    }
  }

  private float largest() {
    FloatVector largest = FloatVector.zero(Lanes.SPECIES);
    for (int i = 0; i < row.length; i += Lanes.WIDTH) {
      largest = largest.max(Lanes.load(row, i).abs());
    }
    largest.intoArray(parts, 0);
    float result = parts[0];
    for (int i = 1; i < Lanes.WIDTH; i++) {
      result = Math.max(result, parts[i]);
    }
    return result;
  }

  /**
   * Rounds a row of weights to int8. Its largest weights are cut off where that makes the squared
   * error of the row smaller.
   *
   * @param weights [width]
   * @param target receives the bytes, with {@code zero} added
   * @return the scale; times that of a row of activations it is the scale of their product
   */
  public float quantizeWeights(float[] weights, byte[] target, int zero) {
    System.arraycopy(weights, 0, row, 0, row.length);
    Rotation.rotate(row, row.length);
    float scale = bestScale(largest() / LARGEST);
    if (scale == 0) {
      Arrays.fill(target, 0, row.length, (byte) zero);
      return 0;
    }
    float inverse = 1 / scale;
    for (int i = 0; i < row.length; i++) {
      int block = i & -BLOCK;
      int element = i - block;
      int place = block + Integer.BYTES * (element % Lanes.LOGICAL) + element / Lanes.LOGICAL;
      float rounded = (float) Math.rint(row[i] * inverse);
      target[place] = (byte) ((int) Math.clamp(rounded, -LARGEST, LARGEST) + zero);
    }
    return scale * ROTATION_GAIN;
  }

  private float bestScale(float uncut) {
    float best = uncut;
    float bestError = uncut == 0 ? 0 : error(uncut);
    for (int i = 1; i <= CLIP_STEPS && bestError > 0; i++) {
      float scale = uncut * (1 - i * CLIP_STEP);
      float error = error(scale);
      if (error < bestError) {
        best = scale;
        bestError = error;
      }
    }
    return best;
  }

  /** The squared error of the row if it is rounded with a scale. */
  private float error(float scale) {
    float inverse = 1 / scale;
    for (int lane = 0; lane < Lanes.LOGICAL; lane += Lanes.WIDTH) {
      FloatVector sum = FloatVector.zero(Lanes.SPECIES);
      for (int i = lane; i < row.length; i += Lanes.LOGICAL) {
        FloatVector x = Lanes.load(row, i);
        FloatVector rounded = Lanes.round(x.mul(inverse)).max(-LARGEST).min(LARGEST);
        FloatVector error = x.sub(rounded.mul(scale));
        sum = error.fma(error, sum);
      }
      sum.intoArray(parts, lane);
    }
    return Lanes.sum(parts);
  }
}
