package dev.sluice.worker.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/**
 * Keys and values as float32.
 *
 * <pre>
 *   keys    [headSize, 16 tokens]
 *   values  [16 tokens, headSize]
 * </pre>
 */
record FloatFormat(int headSize) implements KvFormat {
  @Override
  public long blockBytes() {
    return LINE * headSize;
  }

  @Override
  public boolean scaled() {
    return false;
  }

  @Override
  public float storeKey(float[] key, long block, int slot) {
    long lane = block + 4L * slot;
    for (int d = 0; d < headSize; d++) {
      Lanes.setFloat(lane + d * LINE, key[d]);
    }
    return 1;
  }

  @Override
  public float storeValue(float[] value, long block, int slot) {
    long row = block + 4L * headSize * slot;
    MemorySegment.copy(value, 0, Lanes.MEMORY, ValueLayout.JAVA_FLOAT_UNALIGNED, row, headSize);
    return 1;
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
    FloatVector a0 = FloatVector.zero(Lanes.SPECIES);
    FloatVector a1 = a0;
    FloatVector a2 = a0;
    FloatVector a3 = a0;
    FloatVector b0 = a0;
    FloatVector b1 = a0;
    FloatVector b2 = a0;
    FloatVector b3 = a0;
    for (int d = 0; d < headSize; d++) {
      FloatVector a = Lanes.load(keyA + d * LINE);
      FloatVector b = Lanes.load(keyB + d * LINE);
      int at = query + ROWS * d;
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
    for (int column = 0; column < headSize; column += 2 * Lanes.WIDTH) {
      // The last vector may have no partner: it is computed twice.
      int other = Math.min(column + Lanes.WIDTH, headSize - Lanes.WIDTH);
      columns(weights, weight, stride, from, to, blocks, column, other, sums, sum);
    }
  }

  /** {@link #weightedValues} for the two vectors that begin at these columns. */
  private void columns(
      float[] weights,
      int weight,
      int stride,
      int from,
      int to,
      long[] blocks,
      int columnA,
      int columnB,
      float[] sums,
      int sum) {
    long rowBytes = 4L * headSize;
    FloatVector a0 = FloatVector.zero(Lanes.SPECIES);
    FloatVector a1 = a0;
    FloatVector a2 = a0;
    FloatVector a3 = a0;
    FloatVector b0 = a0;
    FloatVector b1 = a0;
    FloatVector b2 = a0;
    FloatVector b3 = a0;
    for (int first = from; first < to; first += Lanes.LOGICAL) {
      long block = blocks[first / Lanes.LOGICAL];
      long valueA = block + 4L * columnA;
      long valueB = block + 4L * columnB;
      int slots = Math.min(to - first, Lanes.LOGICAL);
      int weight0 = weight + first;
      int weight1 = weight0 + stride;
      int weight2 = weight1 + stride;
      int weight3 = weight2 + stride;
      for (int slot = 0; slot < slots; slot++) {
        FloatVector a = Lanes.load(valueA + slot * rowBytes);
        FloatVector b = Lanes.load(valueB + slot * rowBytes);
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
    int sumA = sum + columnA;
    int sumB = sum + columnB;
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
