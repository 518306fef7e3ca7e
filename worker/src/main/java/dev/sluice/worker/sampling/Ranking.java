package dev.sluice.worker.sampling;

/**
 * Hands out tokens, the most likely first, of equals the one with the lowest id first. A binary
 * heap: ordering n tokens takes time in proportion to n, each token handed out to log n, so that
 * the vocabulary is never sorted.
 *
 * <p>Threading: one thread. Allocates nothing after construction.
 */
final class Ranking {
  private static final float[] NONE = {};

  private final int[] heap; // [vocabularySize]; children of i: 2 i + 1 and 2 i + 2
  private int size;
  private float[] logits = NONE;

  Ranking(int vocabularySize) {
    heap = new int[vocabularySize];
  }

  void clear() {
    size = 0;
  }

  boolean isEmpty() {
    return size == 0;
  }

  void add(int token) {
    heap[size++] = token;
  }

  /** To be called after the last {@link #add} and before {@link #next}. */
  void order(float[] byLogits) {
    logits = byLogits;
    for (int i = size / 2 - 1; i >= 0; i--) {
      siftDown(i);
    }
  }

  /** Removes and returns the first token. */
  int next() {
    int first = heap[0];
    heap[0] = heap[--size];
    siftDown(0);
    return first;
  }

  private void siftDown(int index) {
    int token = heap[index];
    int child;
    while ((child = 2 * index + 1) < size) {
      if (child + 1 < size && isBefore(heap[child + 1], heap[child])) {
        child++;
      }
      if (isBefore(token, heap[child])) {
        break;
      }
      heap[index] = heap[child];
      index = child;
    }
    heap[index] = token;
  }

  private boolean isBefore(int a, int b) {
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
  }
}
