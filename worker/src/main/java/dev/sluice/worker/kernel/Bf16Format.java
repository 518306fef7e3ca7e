package dev.sluice.worker.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Keys and values as bf16, the upper half of a float32. A lane has two dimensions, so that a shift
 * and a mask widen them.
 *
 * <pre>
 *   keys    [headSize / 2, 16 tokens]   dimensions 2 d, in the lower half, and 2 d + 1
 *   values  [16 tokens, headSize / 2]   dimensions d, in the lower half, and d + headSize / 2
 * </pre>
 */
record Bf16Format(int headSize) implements KvFormat {
  @Override
  public long blockBytes() {
    return LINE * headSize / 2;
  }

  @Override
  public boolean scaled() {
    return false;
  }

  @Override
  public float storeKey(float[] key, long block, int slot) {
    int half = headSize / 2;
    long lane = block + 4L * slot;
    for (int d = 0; d < half; d++) {
      Lanes.setInt(lane + d * LINE, pair(key[2 * d], key[2 * d + 1]));
    }
    return 1;
  }

  @Override
  public float storeValue(float[] value, long block, int slot) {
    int half = headSize / 2;
    long row = block + 4L * half * slot;
    for (int d = 0; d < half; d++) {
      Lanes.setInt(row + 4L * d, pair(value[d], value[d + half]));
    }
    return 1;
  }

  private static int pair(float low, float high) {
    return bits(low) | (bits(high) << 16);
  }

  /** The nearest bf16, the even one in a tie; by integer arithmetic, which has no modes. */
  static int bits(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (bits >>> 16) | 0x40; // rounding could carry into the sign
    }
    int odd = (bits >>> 16) & 1;
    return (bits + 0x7fff + odd) >>> 16;
  }

  private static FloatVector low(IntVector pairs) {
    return Lanes.shiftLeft(pairs, 16).reinterpretAsFloats();
  }

  private static FloatVector high(IntVector pairs) {
    return pairs.and(0xffff0000).reinterpretAsFloats();
  }

  @Override
  public void scores(
      float[] queries,
      int query,
      long keyA,
      long keyB,
      float[] scores,
      int scoreA,
      int scoreB,
      int stride) {
    int half = headSize / 2;
    FloatVector a0 = FloatVector.zero(Lanes.SPECIES);
    FloatVector a1 = a0;
    FloatVector a2 = a0;
    FloatVector a3 = a0;
    FloatVector b0 = a0;
    FloatVector b1 = a0;
    FloatVector b2 = a0;
    FloatVector b3 = a0;
    for (int d = 0; d < half; d++) {
      IntVector pairsA = Lanes.loadBits(keyA + d * LINE);
      IntVector pairsB = Lanes.loadBits(keyB + d * LINE);
      int at = query + 2 * ROWS * d;
      FloatVector a = low(pairsA);
      FloatVector b = low(pairsB);
      FloatVector q = Lanes.splat(queries[at]);
      a0 = q.fma(a, a0);
      b0 = q.fma(b, b0);
      q = Lanes.splat(queries[at + 1]);
      a1 = q.fma(a, a1);
      b1 = q.fma(b, b1);
      q = Lanes.splat(queries[at + 2]);
      a2 = q.fma(a, a2);
      b2 = q.fma(b, b2);
      q = Lanes.splat(queries[at + 3]);
      a3 = q.fma(a, a3);
      b3 = q.fma(b, b3);
      KvFormat.keepApart();
      a = high(pairsA);
      b = high(pairsB);
      q = Lanes.splat(queries[at + 4]);
      a0 = q.fma(a, a0);
      b0 = q.fma(b, b0);
      q = Lanes.splat(queries[at + 5]);
      a1 = q.fma(a, a1);
      b1 = q.fma(b, b1);
      q = Lanes.splat(queries[at + 6]);
      a2 = q.fma(a, a2);
      b2 = q.fma(b, b2);
      q = Lanes.splat(queries[at + 7]);
      a3 = q.fma(a, a3);
      b3 = q.fma(b, b3);
    }
    a0.intoArray(scores, scoreA);
    a1.intoArray(scores, scoreA + stride);
    a2.intoArray(scores, scoreA + 2 * stride);
    a3.intoArray(scores, scoreA + 3 * stride);
    b0.intoArray(scores, scoreB);
    b1.intoArray(scores, scoreB + stride);
    b2.intoArray(scores, scoreB + 2 * stride);
    b3.intoArray(scores, scoreB + 3 * stride);
  }

  @Override
  public void weightedValues(
      float[] weights,
      int weight,
      int stride,
      int from,
      int to,
      long[] blocks,
      float[] sums,
      int sum) {
    int half = headSize / 2;
    for (int column = 0; column < half; column += Lanes.WIDTH) {
      // The last vectors may overlap those before: they give the same sums again.
      int first = Math.min(column, half - Lanes.WIDTH);
      columns(weights, weight, stride, from, to, blocks, first, sums, sum);
    }
  }

  /** {@link #weightedValues} for the vectors that begin at the column and half a head on. */
  private void columns(
      float[] weights,
      int weight,
      int stride,
      int from,
      int to,
      long[] blocks,
      int column,
      float[] sums,
      int sum) {
    int half = headSize / 2;
    long rowBytes = 4L * half;
    FloatVector a0 = FloatVector.zero(Lanes.SPECIES);
    FloatVector a1 = a0;
    FloatVector a2 = a0;
    FloatVector a3 = a0;
    FloatVector b0 = a0;
    FloatVector b1 = a0;
    FloatVector b2 = a0;
    FloatVector b3 = a0;
    for (int first = from; first < to; first += Lanes.LOGICAL) {
      long values = blocks[first / Lanes.LOGICAL] + 4L * column;
      int slots = Math.min(to - first, Lanes.LOGICAL);
      int weight0 = weight + first;
      int weight1 = weight0 + stride;
      int weight2 = weight1 + stride;
      int weight3 = weight2 + stride;
      for (int slot = 0; slot < slots; slot++) {
        IntVector pairs = Lanes.loadBits(values + slot * rowBytes);
        FloatVector a = low(pairs);
        FloatVector b = high(pairs);
        FloatVector w = Lanes.splat(weights[weight0 + slot]);
        a0 = w.fma(a, a0);
        b0 = w.fma(b, b0);
        w = Lanes.splat(weights[weight1 + slot]);
        a1 = w.fma(a, a1);
        b1 = w.fma(b, b1);
        w = Lanes.splat(weights[weight2 + slot]);
        a2 = w.fma(a, a2);
        b2 = w.fma(b, b2);
        w = Lanes.splat(weights[weight3 + slot]);
        a3 = w.fma(a, a3);
        b3 = w.fma(b, b3);
      }
    }
    int sumA = sum + column;
    int sumB = sumA + half;
    a0.intoArray(sums, sumA);
    a1.intoArray(sums, sumA + headSize);
    a2.intoArray(sums, sumA + 2 * headSize);
    a3.intoArray(sums, sumA + 3 * headSize);
    b0.intoArray(sums, sumB);
    b1.intoArray(sums, sumB + headSize);
    b2.intoArray(sums, sumB + 2 * headSize);
    b3.intoArray(sums, sumB + 3 * headSize);
  }
}
