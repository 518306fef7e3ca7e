package dev.sluice.worker.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * The inner loops of attention: rows of one tile against the keys and values of one fixed range of
 * positions. Rows come in groups of {@value #ROWS}; a row's arithmetic is the same in any group.
 */
final class AttentionRange {
  /** Rows of a register tile: 4 rows of 2 vectors leave room for operands in 16 registers. */
  static final int ROWS = 4;

  private static final long VECTOR = 4L * Lanes.WIDTH;
  private static final long LINE = 4L * Lanes.LOGICAL;

  private AttentionRange() {}

  /**
   * Scores of 4 rows against two vectors of keys.
   *
   * @param query float [4, headSize]
   * @param keyA a vector of each line of a block's keys, float [headSize, 16]
   * @param keyB another
   * @param scoreA receives the first row's; other rows are {@code scoreStride} bytes on
   * @param scoreB the same for {@code keyB}
   */
  static void scores(
      long query, int headSize, long keyA, long keyB, long scoreA, long scoreB, long scoreStride) {
    long rowBytes = 4L * headSize;
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
      long element = query + 4L * d;
      FloatVector q = Lanes.splat(element);
      a0 = q.fma(a, a0);
      b0 = q.fma(b, b0);
      q = Lanes.splat(element + rowBytes);
      a1 = q.fma(a, a1);
      b1 = q.fma(b, b1);
      q = Lanes.splat(element + 2 * rowBytes);
      a2 = q.fma(a, a2);
      b2 = q.fma(b, b2);
      q = Lanes.splat(element + 3 * rowBytes);
      a3 = q.fma(a, a3);
      b3 = q.fma(b, b3);
    }
    Lanes.store(a0, scoreA);
    Lanes.store(a1, scoreA + scoreStride);
    Lanes.store(a2, scoreA + 2 * scoreStride);
    Lanes.store(a3, scoreA + 3 * scoreStride);
    Lanes.store(b0, scoreB);
    Lanes.store(b1, scoreB + scoreStride);
    Lanes.store(b2, scoreB + 2 * scoreStride);
    Lanes.store(b3, scoreB + 3 * scoreStride);
  }

  /**
   * Turns one row's scores into weights e^(score - max).
   *
   * @param row float [columns]; replaced by the weights
   * @param columns a multiple of 16
   * @param valid columns that the row may see, 1 or more; the others get the weight 0
   * @param parts receives the sum of the weights in 16 parts, float [16]
   * @return the largest score
   */
  static float softmax(long row, int columns, int valid, long parts) {
    for (int c = valid / Lanes.WIDTH * Lanes.WIDTH; c < columns; c += Lanes.WIDTH) {
      VectorMask<Float> seen = Lanes.SPECIES.indexInRange(c, valid);
      FloatVector hidden =
          FloatVector.broadcast(Lanes.SPECIES, Float.NEGATIVE_INFINITY)
              .blend(Lanes.load(row + 4L * c), seen);
      Lanes.store(hidden, row + 4L * c);
    }
    FloatVector largest = Lanes.load(row);
    for (int c = Lanes.WIDTH; c < columns; c += Lanes.WIDTH) {
      largest = largest.max(Lanes.load(row + 4L * c));
    }
    Lanes.store(largest, parts);
    float max = Lanes.getFloat(parts);
    for (int i = 1; i < Lanes.WIDTH; i++) {
      max = Math.max(max, Lanes.getFloat(parts + 4L * i));
    }
    for (int lane = 0; lane < Lanes.LOGICAL; lane += Lanes.WIDTH) {
      FloatVector sum = FloatVector.zero(Lanes.SPECIES);
      for (int c = lane; c < columns; c += Lanes.LOGICAL) {
        FloatVector weight = Lanes.exp(Lanes.load(row + 4L * c).sub(max));
        Lanes.store(weight, row + 4L * c);
        sum = sum.add(weight);
      }
      Lanes.store(sum, parts + 4L * lane);
    }
    return max;
  }

  /**
   * Adds the weighted values of a range to 4 rows of two vectors of the output.
   *
   * @param weights float [4, ...]; rows are {@code weightStride} bytes apart
   * @param tokens tokens of the range that any row may see
   * @param blocks addresses of the range's blocks of values, long [], each float [16, headSize]
   * @param columnA first column of the one vector, in bytes
   * @param columnB of the other
   * @param sums receives float [4, headSize]
   */
  static void weightedValues(
      long weights,
      long weightStride,
      int tokens,
      long blocks,
      int headSize,
      long columnA,
      long columnB,
      long sums) {
    long rowBytes = 4L * headSize;
    FloatVector a0 = FloatVector.zero(Lanes.SPECIES);
    FloatVector a1 = a0;
    FloatVector a2 = a0;
    FloatVector a3 = a0;
    FloatVector b0 = a0;
    FloatVector b1 = a0;
    FloatVector b2 = a0;
    FloatVector b3 = a0;
    for (int first = 0; first < tokens; first += Lanes.LOGICAL) {
      long values = Lanes.getLong(blocks + first / Lanes.LOGICAL * 8L);
      int slots = Math.min(tokens - first, Lanes.LOGICAL);
      for (int slot = 0; slot < slots; slot++) {
        long value = values + slot * rowBytes;
        FloatVector a = Lanes.load(value + columnA);
        FloatVector b = Lanes.load(value + columnB);
        long weight = weights + 4L * (first + slot);
        FloatVector w = Lanes.splat(weight);
        a0 = w.fma(a, a0);
        b0 = w.fma(b, b0);
        w = Lanes.splat(weight + weightStride);
        a1 = w.fma(a, a1);
        b1 = w.fma(b, b1);
        w = Lanes.splat(weight + 2 * weightStride);
        a2 = w.fma(a, a2);
        b2 = w.fma(b, b2);
        w = Lanes.splat(weight + 3 * weightStride);
        a3 = w.fma(a, a3);
        b3 = w.fma(b, b3);
      }
    }
    long sumsA = sums + columnA;
    long sumsB = sums + columnB;
    Lanes.store(a0, sumsA);
    Lanes.store(a1, sumsA + rowBytes);
    Lanes.store(a2, sumsA + 2 * rowBytes);
    Lanes.store(a3, sumsA + 3 * rowBytes);
    Lanes.store(b0, sumsB);
    Lanes.store(b1, sumsB + rowBytes);
    Lanes.store(b2, sumsB + 2 * rowBytes);
    Lanes.store(b3, sumsB + 3 * rowBytes);
  }

  /**
   * Merges a range's part into a row: both are scaled to the larger of their maxima.
   *
   * @param row the row so far: float [headSize], weighted values
   * @param state its largest score and sum of weights, float [2]
   * @param part the range's weighted values
   * @param partState the range's largest score and sum of weights
   */
  static void merge(long row, long state, long part, long partState, int headSize) {
    float max = Lanes.getFloat(state);
    float partMax = Lanes.getFloat(partState);
    float newMax = Math.max(max, partMax);
    FloatVector keep = Lanes.exp(FloatVector.broadcast(Lanes.SPECIES, max - newMax));
    FloatVector add = Lanes.exp(FloatVector.broadcast(Lanes.SPECIES, partMax - newMax));
    for (long offset = 0; offset < 4L * headSize; offset += VECTOR) {
      FloatVector sum = Lanes.load(row + offset).mul(keep);
      Lanes.store(add.fma(Lanes.load(part + offset), sum), row + offset);
    }
    float weights =
        Lanes.getFloat(state + 4) * keep.lane(0) + Lanes.getFloat(partState + 4) * add.lane(0);
    Lanes.setFloat(state, newMax);
    Lanes.setFloat(state + 4, weights);
  }

  /** Divides a row by its sum of weights into the output. */
  static void finish(long row, long state, int headSize, long output) {
    float inverse = 1f / Lanes.getFloat(state + 4);
    for (long offset = 0; offset < 4L * headSize; offset += VECTOR) {
      // Adding zero turns -0 into +0: masked columns, which add +0 or -0 to a sum that has
      // underflowed, must leave no trace.
      Lanes.store(Lanes.load(row + offset).mul(inverse).add(0f), output + offset);
    }
  }
}
