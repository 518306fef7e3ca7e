package dev.sluice.worker.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * The inner loops of attention: rows of one tile against the keys and values of one fixed range of
 * positions. Rows come in groups of {@value #ROWS}; a row's arithmetic is the same in any group.
 *
 * <p>Keys and values are in native memory; what a thread works with is in arrays, whose bounds
 * checks the compiler moves out of the loops.
 */
final class AttentionRange {
  /** Rows of a register tile: 4 rows of 2 vectors leave room for operands in 16 registers. */
  static final int ROWS = 4;

  /**
   * The largest score of a row that sees nothing: finite, so that differences of such are numbers,
   * and so small that any score outweighs it entirely.
   */
  static final float NOTHING = -Float.MAX_VALUE;

  private static final long LINE = 4L * Lanes.LOGICAL;

  private AttentionRange() {}

  /**
   * Scores of 4 rows against two vectors of keys.
   *
   * @param queries [4, headSize] from {@code query}
   * @param keyA a vector of each line of a block's keys, float [headSize, 16]
   * @param keyB another
   * @param scores receives the first row's from {@code scoreA} and {@code scoreB}; other rows are
   *     {@code stride} further on
   */
  static void scores(
      float[] queries,
      int query,
      int headSize,
      long keyA,
      long keyB,
      float[] scores,
      int scoreA,
      int scoreB,
      int stride) {
    int query1 = query + headSize;
    int query2 = query1 + headSize;
    int query3 = query2 + headSize;
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
      FloatVector q = Lanes.splat(queries[query + d]);
      a0 = q.fma(a, a0);
      b0 = q.fma(b, b0);
      q = Lanes.splat(queries[query1 + d]);
      a1 = q.fma(a, a1);
      b1 = q.fma(b, b1);
      q = Lanes.splat(queries[query2 + d]);
      a2 = q.fma(a, a2);
      b2 = q.fma(b, b2);
      q = Lanes.splat(queries[query3 + d]);
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

  /**
   * Turns one row's scores into weights e^(score - max).
   *
   * @param scores the row's from {@code row}; replaced by the weights
   * @param from first column, a multiple of 16
   * @param columns end of the columns, a multiple of 16
   * @param first column that the row sees
   * @param end of the columns that the row sees; those that it does not see get the weight 0
   * @param parts receives the sum of the weights in 16 parts, [16]
   * @return the largest score; {@link #NOTHING} if the row sees no column
   */
  static float softmax(
      float[] scores, int row, int from, int columns, int first, int end, float[] parts) {
    for (int c = from; c < Math.min(first, columns); c += Lanes.WIDTH) {
      VectorMask<Float> hidden = Lanes.SPECIES.indexInRange(c, first);
      Lanes.load(scores, row + c).blend(Float.NEGATIVE_INFINITY, hidden).intoArray(scores, row + c);
    }
    for (int c = end / Lanes.WIDTH * Lanes.WIDTH; c < columns; c += Lanes.WIDTH) {
      VectorMask<Float> seen = Lanes.SPECIES.indexInRange(c, end);
      Lanes.splat(Float.NEGATIVE_INFINITY)
          .blend(Lanes.load(scores, row + c), seen)
          .intoArray(scores, row + c);
    }
    FloatVector largest = Lanes.splat(NOTHING);
    for (int c = from; c < columns; c += Lanes.WIDTH) {
      largest = largest.max(Lanes.load(scores, row + c));
    }
    largest.intoArray(parts, 0);
    float max = parts[0];
    for (int i = 1; i < Lanes.WIDTH; i++) {
      max = Math.max(max, parts[i]);
    }
    for (int lane = 0; lane < Lanes.LOGICAL; lane += Lanes.WIDTH) {
      FloatVector sum = FloatVector.zero(Lanes.SPECIES);
      for (int c = from + lane; c < columns; c += Lanes.LOGICAL) {
        FloatVector weight = Lanes.exp(Lanes.load(scores, row + c).sub(max));
        weight.intoArray(scores, row + c);
        sum = sum.add(weight);
      }
      sum.intoArray(parts, lane);
    }
    return max;
  }

  /**
   * Weighted values of a range, for 4 rows and two vectors of the output.
   *
   * @param weights [4, ...] from {@code weight}; rows are {@code stride} apart
   * @param from first column, a multiple of 16
   * @param tokens end of the columns that any row may see
   * @param blocks addresses of the range's blocks of values, each float [16, headSize]
   * @param columnA first column of the one vector
   * @param columnB of the other
   * @param sums receives [4, headSize] from {@code sum}, in those columns
   */
  static void weightedValues(
      float[] weights,
      int weight,
      int stride,
      int from,
      int tokens,
      long[] blocks,
      int headSize,
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
    for (int first = from; first < tokens; first += Lanes.LOGICAL) {
      long valueA = blocks[first / Lanes.LOGICAL] + 4L * columnA;
      long valueB = blocks[first / Lanes.LOGICAL] + 4L * columnB;
      int slots = Math.min(tokens - first, Lanes.LOGICAL);
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

  /**
   * Works out how to merge a range's parts into the rows: both are scaled to the larger of their
   * maxima. All arrays have {@code count} elements, a multiple of 16.
   *
   * @param maxima of the rows so far; become those with the range
   * @param weights the rows' sums of weights so far; become those with the range
   * @param partMaxima of the range
   * @param partWeights of the range
   * @param keep receives the factors of the rows so far
   * @param add receives the factors of the parts
   */
  static void mergeFactors(
      float[] maxima,
      float[] weights,
      float[] partMaxima,
      float[] partWeights,
      float[] keep,
      float[] add,
      int count) {
    for (int i = 0; i < count; i += Lanes.WIDTH) {
      FloatVector max = Lanes.load(maxima, i);
      FloatVector partMax = Lanes.load(partMaxima, i);
      FloatVector newMax = max.max(partMax);
      FloatVector keeping = Lanes.exp(max.sub(newMax));
      FloatVector adding = Lanes.exp(partMax.sub(newMax));
      newMax.intoArray(maxima, i);
      keeping.intoArray(keep, i);
      adding.intoArray(add, i);
      Lanes.load(weights, i)
          .mul(keeping)
          .add(Lanes.load(partWeights, i).mul(adding))
          .intoArray(weights, i);
    }
  }

  /** Merges one row: {@code row = row * keep + part * add}, over headSize elements. */
  static void merge(float[] rows, float[] parts, int at, float keep, float add, int headSize) {
    FloatVector keeping = Lanes.splat(keep);
    FloatVector adding = Lanes.splat(add);
    for (int i = at; i < at + headSize; i += Lanes.WIDTH) {
      FloatVector kept = Lanes.load(rows, i).mul(keeping);
      adding.fma(Lanes.load(parts, i), kept).intoArray(rows, i);
    }
  }

  /** Divides a row by its sum of weights into the output. */
  static void finish(float[] rows, int at, float weights, int headSize, long output) {
    FloatVector inverse = Lanes.splat(1f / weights);
    for (int i = 0; i < headSize; i += Lanes.WIDTH) {
      // Adding zero turns -0 into +0: masked columns, which add +0 or -0 to a sum that has
      // underflowed, must leave no trace.
      Lanes.store(Lanes.load(rows, at + i).mul(inverse).add(0f), output + 4L * i);
    }
  }
}
