package dev.sluice.worker.engine;

import java.util.Arrays;

/**
 * Finds where the latest tokens of a sequence occurred before, so that what followed them there can
 * be proposed to follow again.
 *
 * <pre>
 *   tokens    a b c d e ... x a b c        length 10, N = 3
 *                   ^                      continuation: d e ...
 * </pre>
 *
 * <pre>
 *   ends     slot of a hash -&gt; where N tokens with this hash ended last
 *   before   where they ended -&gt; where others with this hash ended before
 * </pre>
 *
 * <p>Threading: engine thread. Allocates only when the sequence has outgrown the tables, which then
 * double.
 */
final class NgramIndex {
  /** Fewer tokens recur by chance too often. */
  private static final int N = 3;

  /** Others with the same hash to look at before giving up. */
  private static final int MOST_TRIES = 8;

  private int[] ends; // [power of two]; 0 for none
  private int[] before; // [length]; 0 for none
  private int indexed = N - 1; // N-grams that end at or before this were entered

  NgramIndex(int length) {
    before = new int[Math.max(64, length)];
    ends = new int[Integer.highestOneBit(before.length) * 2];
  }

  /**
   * Where the continuation of an earlier occurrence of the last N tokens begins; 0 if there is
   * none.
   *
   * @param tokens the first {@code length} count, and they begin with those of the call before
   */
  int find(int[] tokens, int length) {
    if (length > before.length) {
      before = new int[2 * length];
      ends = new int[Integer.highestOneBit(before.length) * 2];
      indexed = N - 1;
    }
    while (indexed < length - 1) {
      indexed++;
      int slot = slot(tokens, indexed);
      before[indexed] = ends[slot];
      ends[slot] = indexed;
    }
    if (length < N) {
      return 0;
    }
    int end = ends[slot(tokens, length)];
    for (int tries = 0; end > 0 && tries < MOST_TRIES; tries++) {
      if (Arrays.equals(tokens, end - N, end, tokens, length - N, length)) {
        return end;
      }
      end = before[end];
    }
    return 0;
  }

  private int slot(int[] tokens, int end) {
    int hash = 0;
    for (int i = end - N; i < end; i++) {
      hash = (hash ^ tokens[i]) * 0x9E3779B1;
      hash ^= hash >>> 15;
    }
    return hash & (ends.length - 1);
  }
}
