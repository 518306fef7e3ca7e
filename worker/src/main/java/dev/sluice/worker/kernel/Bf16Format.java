package dev.sluice.worker.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Keys and values as bf16, the upper half of a float32. A lane has two dimensions, so that a shift
 * and a mask widen them.
 *
 * <pre>
 *   keys    [headSize / 2, 16 tokens]        dimensions 2 d, in the lower half, and 2 d + 1
 *   values  [headSize / 32, 16 tokens, 16]   dimensions d, in the lower half, and d + 16
 * </pre>
 */
record Bf16Format(int headSize) implements KvFormat {
  /** Dimensions of a line of values. */
  private static final int PAIRED = 2 * Lanes.LOGICAL;

  @Override
  public long keyBytes() {
    return LINE * headSize / 2;
  }

  @Override
  public long valueBytes() {
    return LINE * Lanes.LOGICAL * Math.ceilDiv(headSize, PAIRED);
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
    for (int d = 0; d < headSize; d++) {
      if (d % PAIRED < Lanes.LOGICAL) {
        int partner = d + Lanes.LOGICAL;
        float high = partner < headSize ? value[partner] : 0;
        Lanes.setInt(place(block, d) + slot * LINE, pair(value[d], high));
      }
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
      float[] queries, int query, long keyA, long keyB, float[] scores, int scoreA, int scoreB) {
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
    a1.intoArray(scores, scoreA + RANGE);
    a2.intoArray(scores, scoreA + 2 * RANGE);
    a3.intoArray(scores, scoreA + 3 * RANGE);
    b0.intoArray(scores, scoreB);
    b1.intoArray(scores, scoreB + RANGE);
    b2.intoArray(scores, scoreB + 2 * RANGE);
    b3.intoArray(scores, scoreB + 3 * RANGE);
  }

  @Override
  public void weightedValues(
      float[] weights, int weight, int from, int to, long[] blocks, float[] sums, int sum) {
    for (int group = 0; group < headSize; group += PAIRED) {
      for (int lane = 0; lane < Lanes.LOGICAL; lane += Lanes.WIDTH) {
        columns(weights, weight, from, to, blocks, group + lane, sums, sum);
      }
    }
  }

  /** Address of a dimension of the first token's value, if it is in a lower half. */
  private static long place(long block, int d) {
    return block + d / PAIRED * (Lanes.LOGICAL * LINE) + d % PAIRED * 4L;
  }

  /** {@link #weightedValues} for the vectors that begin at the column and 16 further on. */
  private void columns(
      float[] weights,
      int weight,
      int from,
      int to,
      long[] blocks,
      int column,
      float[] sums,
      int sum) {
    FloatVector a0 = FloatVector.zero(Lanes.SPECIES);
    FloatVector a1 = a0;
    FloatVector a2 = a0;
    FloatVector a3 = a0;
    FloatVector b0 = a0;
    FloatVector b1 = a0;
    FloatVector b2 = a0;
    FloatVector b3 = a0;
    long line = 0; // of the token; the first one begins a block
    for (int token = from; token < to; token++, line += LINE) {
      if (token % Lanes.LOGICAL == 0) {
        line = place(blocks[token / Lanes.LOGICAL], column);
      }
      int at = weight + token;
      IntVector pairs = Lanes.loadBits(line);
      FloatVector a = low(pairs);
      FloatVector b = high(pairs);
      FloatVector w = Lanes.splat(weights[at]);
      a0 = w.fma(a, a0);
      b0 = w.fma(b, b0);
      w = Lanes.splat(weights[at + RANGE]);
      a1 = w.fma(a, a1);
      b1 = w.fma(b, b1);
      w = Lanes.splat(weights[at + 2 * RANGE]);
      a2 = w.fma(a, a2);
      b2 = w.fma(b, b2);
      w = Lanes.splat(weights[at + 3 * RANGE]);
      a3 = w.fma(a, a3);
      b3 = w.fma(b, b3);
    }
    int sumA = sum + column;
    a0.intoArray(sums, sumA);
    a1.intoArray(sums, sumA + headSize);
    a2.intoArray(sums, sumA + 2 * headSize);
    a3.intoArray(sums, sumA + 3 * headSize);
    if (column + Lanes.LOGICAL < headSize) { // else the upper halves are empty
      int sumB = sumA + Lanes.LOGICAL;
      b0.intoArray(sums, sumB);
      b1.intoArray(sums, sumB + headSize);
      b2.intoArray(sums, sumB + 2 * headSize);
      b3.intoArray(sums, sumB + 3 * headSize);
    }
  }
}
