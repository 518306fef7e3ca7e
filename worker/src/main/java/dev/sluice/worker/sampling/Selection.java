package dev.sluice.worker.sampling;

/**
 * The most likely tokens, found by partition (Hoare's quickselect): time in proportion to the
 * candidates, and nothing is sorted.
 *
 * <p>Threading: one thread. Allocates nothing after construction.
 */
final class Selection {
  private final Weights weights;
  private final int[] tokens; // [vocabularySize]; the first `size` are selected, in no order
  private int size;

  Selection(Weights weights) {
    this.weights = weights;
    this.tokens = new int[weights.tokens()];
  }

  /** Selects every token that weighs at least this, and more than nothing. */
  void all(double minWeight) {
    size = 0;
    for (int block = 0; block < weights.blocks(); block++) {
      if (weights.maximum(block) >= minWeight) {
        int end = Math.min((block + 1) * Weights.BLOCK, weights.tokens());
        for (int token = block * Weights.BLOCK; token < end; token++) {
          if (weights.of(token) >= minWeight && weights.of(token) > 0) {
            tokens[size++] = token;
          }
        }
      }
    }
  }

  /** The weights of the selected tokens together. */
  double total() {
    double total = 0;
    for (int i = 0; i < size; i++) {
      total += weights.of(tokens[i]);
    }
    return total;
  }

  /** Keeps the most likely tokens, so few that they just reach this number. */
  void keepCount(int count) {
    keep(count, false);
  }

  /** Keeps the most likely tokens, so few that their weights just reach this sum. */
  void keepWeight(double weight) {
    keep(weight, true);
  }

  private void keep(double target, boolean byWeight) {
    int lo = 0; // all before lo are kept, and
    double reached = 0; // sum up to this
    int hi = size; // all from hi on are dropped, if the target is reached
    int random = 1;
    while (lo < hi) {
      random = random * 1664525 + 1013904223; // a fixed pivot would be slow on some inputs
      swap(lo, lo + Integer.remainderUnsigned(random >>> 8, hi - lo));
      int pivot = tokens[lo];
      int middle = lo;
      double before = 0;
      for (int i = lo + 1; i < hi; i++) {
        int token = tokens[i];
        if (weights.isBefore(token, pivot)) {
          before += byWeight ? weights.of(token) : 1;
          swap(++middle, i);
        }
      }
      swap(lo, middle);
      if (reached + before >= target) {
        hi = middle;
      } else {
        reached += before + (byWeight ? weights.of(pivot) : 1);
        lo = middle + 1;
        if (reached >= target) {
          size = lo;
          return;
        }
      }
    }
    size = hi;
  }

  /** The least likely token selected. */
  int last() {
    int last = tokens[0];
    for (int i = 1; i < size; i++) {
      last = weights.isBefore(last, tokens[i]) ? tokens[i] : last;
    }
    return last;
  }

  private void swap(int i, int j) {
    int token = tokens[i];
    tokens[i] = tokens[j];
    tokens[j] = token;
  }
}
