package dev.sluice.worker.sampling;

import dev.sluice.worker.kernel.LogitRow;
import java.util.Arrays;

/**
 * The tokens of a row that may be chosen, few of the vocabulary, in the order of their ids. Which
 * of them are the most likely is found by partition (Hoare's quickselect): time in proportion to
 * the candidates, and nothing is sorted.
 *
 * <p>Threading: one object per thread. Allocates nothing after construction.
 */
final class Candidates {
  private final LogitRow row;
  private final int[] tokens; // [vocabulary]; ascending
  private final float[] weights; // [vocabulary, rounded up to groups]; of these tokens
  private final float[] typicality; // [vocabulary]; of these tokens
  private final float[] peaks; // [blocks, rounded up to groups]; scratch
  private final int[] order; // [vocabulary]; indexes of candidates, the kept ones first
  private final float[] block = new float[LogitRow.BLOCK];
  private float[] ranks; // weights or typicality: by which candidates are ordered
  private int size;
  private int kept;

  Candidates(LogitRow row) {
    int tokenCount = row.tokens();
    this.row = row;
    this.tokens = new int[tokenCount];
    this.weights = new float[tokenCount + LogitRow.GROUP];
    this.typicality = new float[tokenCount];
    this.peaks = new float[row.blocks() + LogitRow.GROUP];
    this.order = new int[tokenCount];
    this.ranks = weights;
  }

  /** Takes the most likely tokens, so many, or all that can be chosen if these are fewer. */
  void takeMostLikely(int count, float temperature) {
    takeLogits(reachedBy(count), temperature);
    keepCount(count);
  }

  /** A logit that at least so many tokens have or exceed; above minus infinity. */
  private float reachedBy(int count) {
    if (count > row.blocks()) {
      return -Float.MAX_VALUE;
    }
    row.copyMaxima(peaks);
    Arrays.sort(peaks, 0, row.blocks()); // one token of each block is known to have it
    return Math.max(peaks[row.blocks() - count], -Float.MAX_VALUE);
  }

  /** Takes every token with at least this logit. */
  private void takeLogits(float least, float temperature) {
    size = 0;
    for (int b = 0; b < row.blocks(); b++) {
      if (row.maximum(b) < least) {
        continue;
      }
      for (int token = b * LogitRow.BLOCK; token < row.end(b); token++) {
        float logit = row.logit(token);
        if (logit >= least) {
          tokens[size] = token;
          weights[size++] = logit;
        }
      }
    }
    row.weigh(weights, size, temperature);
    keepAll();
  }

  /** Takes every token with at least this weight. */
  void takeWeights(double least, float temperature) {
    row.copyMaxima(peaks);
    row.weigh(peaks, row.blocks(), temperature);
    size = 0;
    for (int b = 0; b < row.blocks(); b++) {
      if (peaks[b] < least) {
        continue;
      }
      row.weigh(b, temperature, block);
      int begin = b * LogitRow.BLOCK;
      for (int token = begin; token < row.end(b); token++) {
        float weight = block[token - begin];
        if (weight >= least) {
          tokens[size] = token;
          weights[size++] = weight;
        }
      }
    }
    keepAll();
  }

  private void keepAll() {
    ranks = weights;
    kept = size;
    for (int i = 0; i < size; i++) {
      order[i] = i;
    }
  }

  /** The weights of the kept tokens together. */
  double total() {
    double total = 0;
    for (int i = 0; i < kept; i++) {
      total += weights[order[i]];
    }
    return total;
  }

  /** Keeps the most likely tokens, so few that they just reach this number. */
  void keepCount(int count) {
    if (count < kept) {
      keep(count, false);
    }
  }

  /** Keeps the first in rank, so few that their weights just reach this sum. */
  void keepWeight(double weight) {
    keep(weight, true);
  }

  /** Keeps the tokens with at least this weight. */
  void keepLikely(float least) {
    int count = 0;
    for (int i = 0; i < kept; i++) {
      if (weights[order[i]] >= least) {
        swap(count++, i);
      }
    }
    kept = count;
  }

  /**
   * Keeps the most typical tokens, so few that their weights just reach this part of the sum: those
   * whose information is nearest to the entropy (Meister et al., Locally typical sampling, 2022).
   *
   * <p>With x the logarithm of a weight, information is log(sum) - x and entropy log(sum) minus the
   * mean of x, so that their distance needs no logarithm.
   */
  void keepTypical(double part, float temperature) {
    compact();
    double total = 0;
    double sum = 0;
    for (int i = 0; i < size; i++) {
      total += weights[i];
      sum += weights[i] * row.exponent(tokens[i], temperature);
    }
    double mean = sum / total;
    for (int i = 0; i < size; i++) {
      typicality[i] = (float) -Math.abs(row.exponent(tokens[i], temperature) - mean);
    }
    ranks = typicality;
    keepWeight(part * total);
  }

  /** Forgets the candidates that are not kept, and those without weight. */
  private void compact() {
    int last = last();
    float least = weights[last];
    int count = 0;
    for (int i = 0; i < size; i++) {
      if (weights[i] > least || (weights[i] == least && i <= last)) {
        tokens[count] = tokens[i];
        weights[count] = weights[i];
        count += weights[i] > 0 ? 1 : 0;
      }
    }
    size = count;
    keepAll();
  }

  /** How many are kept. */
  int kept() {
    return kept;
  }

  /** Orders the kept ones, of which there are few, most likely first. */
  void sortKept() {
    for (int i = 1; i < kept; i++) {
      for (int j = i; j > 0 && isBefore(order[j], order[j - 1]); j--) {
        swap(j, j - 1);
      }
    }
  }

  /** The token of one of the kept, in the order of {@link #sortKept}. */
  int token(int index) {
    return tokens[order[index]];
  }

  private void keep(double target, boolean byWeight) {
    int lo = 0; // all before lo are kept, and
    double reached = 0; // sum up to this
    int hi = kept; // all from hi on are dropped, if the target is reached
    int random = 1;
    while (lo < hi) {
      random = random * 1664525 + 1013904223; // a fixed pivot would be slow on some inputs
      swap(lo, lo + Integer.remainderUnsigned(random >>> 8, hi - lo));
      int pivot = order[lo];
      int middle = lo;
      double before = 0;
      for (int i = lo + 1; i < hi; i++) {
        int candidate = order[i];
        if (isBefore(candidate, pivot)) {
          before += byWeight ? weights[candidate] : 1;
          swap(++middle, i);
        }
      }
      swap(lo, middle);
      if (reached + before >= target) {
        hi = middle;
      } else {
        reached += before + (byWeight ? weights[pivot] : 1);
        lo = middle + 1;
        if (reached >= target) {
          kept = lo;
          return;
        }
      }
    }
    kept = hi;
  }

  /** Whether a candidate ranks before another: by weight or typicality, then by the lower id. */
  private boolean isBefore(int candidate, int other) {
    float a = ranks[candidate];
    float b = ranks[other];
    return a > b || (a == b && candidate < other);
  }

  private void swap(int i, int j) {
    int candidate = order[i];
    order[i] = order[j];
    order[j] = candidate;
  }

  /**
   * Draws one of the kept tokens, in order of their ids.
   *
   * @param uniform from 0 to below 1
   */
  int draw(double uniform) {
    int last = last();
    double keptTotal = 0;
    for (int i = 0; i < size; i++) {
      keptTotal += isBefore(last, i) ? 0 : weights[i];
    }
    double target = uniform * keptTotal;
    double sum = 0;
    int drawn = last;
    for (int i = 0; i < size && sum <= target; i++) {
      if (weights[i] > 0 && !isBefore(last, i)) {
        sum += weights[i];
        drawn = i; // the last one if the target was rounded up to the total
      }
    }
    return tokens[drawn];
  }

  /** The kept candidate that ranks last. */
  private int last() {
    int last = order[0];
    for (int i = 1; i < kept; i++) {
      last = isBefore(last, order[i]) ? order[i] : last;
    }
    return last;
  }
}
