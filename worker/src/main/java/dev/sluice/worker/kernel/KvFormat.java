package dev.sluice.worker.kernel;

import java.lang.invoke.VarHandle;

/**
 * How one block of one KV head lies in memory, and the inner loops of attention that read it: rows
 * of queries against keys, rows of weights against values. Rows come in groups of {@value #ROWS}; a
 * row's arithmetic is the same in any group.
 *
 * <p>In every format a block is made of lines of 16 lanes of 32 bits. A line of keys has a token in
 * each lane, so that 16 scores grow side by side and need no sum over lanes; a line of values has a
 * dimension in each. What is read together lies line after line.
 *
 * <p>The vectors that sums grow in live through one loop, never through one in another: of those of
 * two nested loops the compiler does not know the class until too late, and whether it gets on
 * without is luck. If it does not, each operation is a call that makes objects.
 *
 * <p>Keys and values are in native memory; what a thread works with is in arrays, whose bounds
 * checks the compiler moves out of the loops.
 */
sealed interface KvFormat permits FloatFormat, Bf16Format, Int8Format {
  /** Rows of a register tile: 4 rows of 2 vectors leave room for operands in 16 registers. */
  int ROWS = 4;

  /** Columns of a row of scores or weights: positions of a range. */
  int RANGE = AttentionRange.SIZE;

  /** Bytes from one line to the next. */
  long LINE = 4L * Lanes.LOGICAL;

  static KvFormat of(KvType type, int headSize) {
    return switch (type) {
      case FLOAT32 -> new FloatFormat(headSize);
      case BF16 -> new Bf16Format(headSize);
      case INT8 -> new Int8Format(headSize);
    };
  }

  /**
   * Keeps the compiler from moving loads across: it would load the operands of both sides first,
   * for which it has too few registers. Costs no instruction.
   */
  static void keepApart() {
    VarHandle.loadLoadFence();
  }

  /** Bytes of the keys of a block. */
  long keyBytes();

  /** Bytes of the values of a block. */
  long valueBytes();

  /** Whether what is stored has to be multiplied by a scale for each token. */
  boolean scaled();

  /**
   * Stores a token's key.
   *
   * @param key [headSize]; may be changed
   * @param block address
   * @param slot of the token in the block
   * @return the key's scale, if the format is scaled
   */
  float storeKey(float[] key, long block, int slot);

  /** Stores a token's value; parameters as for a key. */
  float storeValue(float[] value, long block, int slot);

  /**
   * Scores of 4 rows against two vectors of keys, unscaled.
   *
   * @param queries [headSize, 4] from {@code query}
   * @param keyA address of a vector's first lane in the first line of a block
   * @param keyB of another
   * @param scores receives the first row's from {@code scoreA} and {@code scoreB}; the next row is
   *     {@link #RANGE} further on
   */
  void scores(
      float[] queries, int query, long keyA, long keyB, float[] scores, int scoreA, int scoreB);

  /**
   * Weighted sums of values, for 4 rows.
   *
   * @param weights [4, RANGE] from {@code weight}
   * @param from first token, a multiple of 16
   * @param to end of the tokens; weights up to the next multiple of 16 are 0
   * @param blocks addresses of the blocks of values, 16 tokens each
   * @param sums receives [4, headSize] from {@code sum}
   */
  void weightedValues(
      float[] weights, int weight, int from, int to, long[] blocks, float[] sums, int sum);
}
