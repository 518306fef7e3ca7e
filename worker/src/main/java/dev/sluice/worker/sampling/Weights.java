package dev.sluice.worker.sampling;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * The probabilities of all tokens times a constant, the most likely token having weight 1, with
 * sums and maxima per block of tokens so that a draw and a search skip most of the vocabulary. Sums
 * are made in a fixed order.
 *
 * <p>Threading: one thread. Allocates nothing after construction.
 */
final class Weights {
  /** Tokens per block. */
  static final int BLOCK = 128;

  private final float[] weights; // [vocabularySize]
  private final double[] sums; // [blocks]
  private final float[] maxima; // [blocks]
  private final float[] sorted; // [blocks], scratch
  private double total;

  Weights(int vocabularySize) {
    int blocks = Math.ceilDiv(vocabularySize, BLOCK);
    this.weights = new float[vocabularySize];
    this.sums = new double[blocks];
    this.maxima = new float[blocks];
    this.sorted = new float[blocks];
  }

  int tokens() {
    return weights.length;
  }

  int blocks() {
    return sums.length;
  }

  float of(int token) {
    return weights[token];
  }

  /** The largest weight of a block. */
  float maximum(int block) {
    return maxima[block];
  }

  /** A weight that at least this many tokens have or exceed. */
  float reachedBy(int count) {
    if (count > maxima.length) {
      return 0;
    }
    System.arraycopy(maxima, 0, sorted, 0, maxima.length);
    Arrays.sort(sorted); // one token of each block is known to have it
    return sorted[maxima.length - count];
  }

  /** The weights of all tokens together. */
  double total() {
    return total;
  }

  /** Whether a token is more likely than another; of equals, whether its id is lower. */
  boolean isBefore(int token, int other) {
    float a = weights[token];
    float b = weights[other];
    return a > b || (a == b && token < other);
  }

  /**
   * Computes the weights.
   *
   * @param max the largest logit
   */
  void set(float[] logits, float max, float temperature) {
    total = 0;
    for (int block = 0; block < sums.length; block++) {
      int begin = block * BLOCK;
      int end = Math.min(begin + BLOCK, weights.length);
      maxima[block] = setBlock(begin, end, logits, max, temperature);
      sums[block] = sum(begin, end);
      total += sums[block];
    }
  }

  /** Computes the weights of one block; returns the largest. */
  private float setBlock(int begin, int end, float[] logits, float max, float temperature) {
    FloatVector largest = FloatVector.zero(Exp.SPECIES);
    int i = begin;
    for (; i + Exp.SPECIES.length() <= end; i += Exp.SPECIES.length()) {
      FloatVector x = FloatVector.fromArray(Exp.SPECIES, logits, i).sub(max).div(temperature);
      FloatVector lanes = Exp.ofNonPositive(x);
      largest = largest.max(lanes);
      lanes.intoArray(weights, i);
    }
    float maximum = largest.reduceLanes(VectorOperators.MAX);
    for (; i < end; i++) {
      weights[i] = Exp.ofNonPositive((logits[i] - max) / temperature);
      maximum = Math.max(maximum, weights[i]);
    }
    return maximum;
  }

  /** Four running sums, since one would wait for each addition. */
  private double sum(int begin, int end) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = begin;
    for (; i + 3 < end; i += 4) {
      s0 += weights[i];
      s1 += weights[i + 1];
      s2 += weights[i + 2];
      s3 += weights[i + 3];
    }
    for (; i < end; i++) {
      s0 += weights[i];
    }
    return (s0 + s1) + (s2 + s3);
  }

  /**
   * Draws one of all tokens.
   *
   * @param uniform from 0 to below 1
   */
  int draw(double uniform) {
    double target = uniform * total;
    double sum = 0;
    int block = 0;
    while (block < sums.length - 1 && sum + sums[block] <= target) {
      sum += sums[block++];
    }
    int last = 0;
    for (int token = block * BLOCK; token < weights.length; token++) {
      if (weights[token] > 0) {
        last = token;
        sum += weights[token];
        if (sum > target) {
          return token;
        }
      }
    }
    return last; // the target was rounded up to the total
  }

  /**
   * Draws one of the tokens up to, and including, the one given, in order of likelihood.
   *
   * @param uniform from 0 to below 1
   */
  int drawUpTo(int cutoff, double uniform) {
    double keptTotal = 0;
    for (int block = 0; block < sums.length; block++) {
      if (maxima[block] >= weights[cutoff]) {
        int end = Math.min((block + 1) * BLOCK, weights.length);
        for (int token = block * BLOCK; token < end; token++) {
          keptTotal += isBefore(cutoff, token) ? 0 : weights[token];
        }
      }
    }
    double target = uniform * keptTotal;
    double sum = 0;
    for (int block = 0; block < sums.length; block++) {
      if (maxima[block] >= weights[cutoff]) {
        int end = Math.min((block + 1) * BLOCK, weights.length);
        for (int token = block * BLOCK; token < end; token++) {
          sum += isBefore(cutoff, token) ? 0 : weights[token];
          if (sum > target) {
            return token;
          }
        }
      }
    }
    return cutoff; // the target was rounded up to the total
  }
}
