package dev.sluice.worker.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Keys and values as int8, with a scale for each token. A lane has four bytes, the first of them on
 * top, so that an arithmetic shift widens it and a shift brings up the next.
 *
 * <pre>
 *   keys    [headSize / 4, 16 tokens]   dimensions 4 d to 4 d + 3
 *   values  [headSize / 16, 4, 16]   of tokens 4 g to 4 g + 3
 * </pre>
 */
record Int8Format(int headSize) implements KvFormat {
  private static final int BYTES = 4;
  private static final int GROUPS = Lanes.LOGICAL / BYTES; // of tokens
  private static final float LARGEST = 127f;

  @Override
  public long keyBytes() {
    return LINE * headSize / BYTES;
  }

  @Override
  public long valueBytes() {
    return LINE * headSize / BYTES;
  }

  @Override
  public boolean scaled() {
    return true;
  }

  @Override
  public float storeKey(float[] key, long block, int slot) {
    float scale = quantize(key);
    int quarter = headSize / BYTES;
    long lane = block + 4L * slot;
    for (int d = 0; d < quarter; d++) {
      int word = 0;
      for (int i = 0; i < BYTES; i++) {
        word = (word << 8) | ((int) key[BYTES * d + i] & 0xff);
      }
      Lanes.setInt(lane + d * LINE, word);
    }
    return scale;
  }

  @Override
  public float storeValue(float[] value, long block, int slot) {
    float scale = quantize(value);
    long line = slot / BYTES * LINE;
    int shift = 8 * (BYTES - 1 - slot % BYTES);
    for (int d = 0; d < headSize; d++) {
      Lanes.setByte(place(block, d) + line, shift, (byte) value[d]);
    }
    return scale;
  }

  /** Makes values whole numbers of -127 to 127; returns their scale. */
  private float quantize(float[] values) {
    float largest = 0;
    for (int d = 0; d < headSize; d++) {
      largest = Math.max(largest, Math.abs(values[d])); // NaN if there is one: so is the scale
    }
    float inverse = largest == 0 ? 0 : LARGEST / largest;
    for (int d = 0; d < headSize; d += Lanes.WIDTH) {
      Lanes.round(Lanes.load(values, d).mul(inverse)).intoArray(values, d);
    }
    return largest / LARGEST;
  }

  private static FloatVector top(IntVector words) {
    return Lanes.toFloats(Lanes.shiftRight(words, 24));
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
    IntVector wordsA = IntVector.zero(Lanes.INTS);
    IntVector wordsB = wordsA;
    for (int d = 0; d < headSize; d++) {
      if (d % BYTES == 0) {
        wordsA = Lanes.loadBits(keyA + d / BYTES * LINE);
        wordsB = Lanes.loadBits(keyB + d / BYTES * LINE);
      }
      int at = query + ROWS * d;
      FloatVector a = top(wordsA);
      FloatVector b = top(wordsB);
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
      wordsA = Lanes.shiftLeft(wordsA, 8);
      wordsB = Lanes.shiftLeft(wordsB, 8);
      KvFormat.keepApart();
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

  /** Address of a dimension of the first tokens' values. */
  private static long place(long block, int d) {
    return block + d / Lanes.LOGICAL * (GROUPS * LINE) + d % Lanes.LOGICAL * 4L;
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
    IntVector wordsA = IntVector.zero(Lanes.INTS);
    IntVector wordsB = wordsA;
    long line = 0; // of the next four tokens; the first one begins a block
    for (int token = from; token < to; token++) {
      if (token % Lanes.LOGICAL == 0) {
        line = place(blocks[token / Lanes.LOGICAL], columnA);
      }
      if (token % BYTES == 0) {
        wordsA = Lanes.loadBits(line);
        wordsB = Lanes.loadBits(line + step);
        line += LINE;
      }
      int at = weight + token;
      FloatVector a = top(wordsA);
      FloatVector b = top(wordsB);
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
      wordsA = Lanes.shiftLeft(wordsA, 8);
      wordsB = Lanes.shiftLeft(wordsB, 8);
      KvFormat.keepApart();
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
