package dev.sluice.worker.kernel;

import jdk.incubator.vector.FloatVector;

/**
 * Keys and values as float32.
 *
 * <pre>
 *   keys    [headSize, 16 tokens]
 *   values  [headSize / 16, 16 tokens, 16]
 * </pre>
 */
record FloatFormat(int headSize) implements KvFormat {
  @Override
  public long keyBytes() {
    return LINE * headSize;
  }

  @Override
  public long valueBytes() {
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
    for (int d = 0; d < headSize; d += Lanes.WIDTH) {
      Lanes.store(Lanes.load(value, d), place(block, d) + slot * LINE);
    }
    return 1;
  }

  @Override
  public void scores(
      float[] queries, int query, long keyA, long keyB, float[] scores, int scoreA, int scoreB) {
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
    a1.intoArray(scores, scoreA + RANGE);
    a2.intoArray(scores, scoreA + 2 * RANGE);
    a3.intoArray(scores, scoreA + 3 * RANGE);
    b0.intoArray(scores, scoreB);
    b1.intoArray(scores, scoreB + RANGE);
    b2.intoArray(scores, scoreB + 2 * RANGE);
    b3.intoArray(scores, scoreB + 3 * RANGE);
  }

  /** Address of a dimension of the first token's value. */
  private static long place(long block, int d) {
    return block + d / Lanes.LOGICAL * (Lanes.LOGICAL * LINE) + d % Lanes.LOGICAL * 4L;
  }

  @Override
  public void weightedValues(
      float[] weights, int weight, int from, int to, long[] blocks, float[] sums, int sum) {
    for (int column = 0; column < headSize; column += 2 * Lanes.WIDTH) {
      // The last vector may have no partner: it is computed twice.
      int other = Math.min(column + Lanes.WIDTH, headSize - Lanes.WIDTH);
      columns(weights, weight, from, to, blocks, column, other, sums, sum);
    }
  }

  /** {@link #weightedValues} for the two vectors that begin at these columns. */
  private void columns(
      float[] weights,
      int weight,
      int from,
      int to,
      long[] blocks,
      int columnA,
      int columnB,
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
    long step = place(0, columnB) - place(0, columnA);
    long line = 0; // of the token; the first one begins a block
    for (int token = from; token < to; token++, line += LINE) {
      if (token % Lanes.LOGICAL == 0) {
        line = place(blocks[token / Lanes.LOGICAL], columnA);
      }
      int at = weight + token;
      FloatVector a = Lanes.load(line);
      FloatVector b = Lanes.load(line + step);
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
