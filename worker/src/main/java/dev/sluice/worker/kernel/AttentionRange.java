package dev.sluice.worker.kernel;

import jdk.incubator.vector.FloatVector;

/**
 * The softmax of one fixed range of positions, and how ranges are merged. Scores are logarithms to
 * base 2: the queries have been multiplied by log2(e).
 */
final class AttentionRange {
  /** Positions of a range. Fixed for ever: other ranges give other bits. */
  static final int SIZE = 64;

  /**
   * The largest score of a row that sees nothing: finite, so that differences of such are numbers,
   * and so small that any score outweighs it entirely.
   */
  static final float NOTHING = -Float.MAX_VALUE;

  private AttentionRange() {}

  /**
   * The largest of a row's scores; {@link #NOTHING} if all are minus infinity.
   *
   * @param scores [SIZE] from {@code row}
   */
  static float largest(float[] scores, int row) {
    FloatVector largest = Lanes.splat(NOTHING);
    for (int c = 0; c < SIZE; c += Lanes.WIDTH) {
      largest = Lanes.larger(largest, Lanes.load(scores, row + c));
    }
    return Lanes.largest(largest);
  }

  /**
   * Turns one row's scores into weights 2^(score - largest).
   *
   * @param scores [SIZE] from {@code row}; replaced by the weights
   * @param parts receives the sum of the weights in 16 parts, [16]
   */
  static void weigh(float[] scores, int row, float largest, float[] parts) {
    FloatVector subtrahend = Lanes.splat(largest);
    for (int lane = 0; lane < Lanes.LOGICAL; lane += Lanes.WIDTH) {
      FloatVector sum = FloatVector.zero(Lanes.SPECIES);
      for (int c = row + lane; c < row + SIZE; c += Lanes.LOGICAL) {
        FloatVector weight = Lanes.exp2(Lanes.load(scores, c).sub(subtrahend));
        weight.intoArray(scores, c);
        sum = sum.add(weight);
      }
      sum.intoArray(parts, lane);
    }
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
      FloatVector newMax = Lanes.larger(max, partMax);
      FloatVector keeping = Lanes.exp2(max.sub(newMax));
      FloatVector adding = Lanes.exp2(partMax.sub(newMax));
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
