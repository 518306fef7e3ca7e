package dev.sluice.worker.sampling;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Which tokens were seen, and how often in the output: a hash table with open addressing.
 *
 * <pre>
 *   keys    [capacity]  token, or EMPTY
 *   counts  [capacity]  times in the output; 0: in the prompt only
 * </pre>
 *
 * <p>Threading: one writer. Allocates only to grow.
 */
final class TokenCounts {
  private static final int EMPTY = -1;

  private int[] keys;
  private int[] counts;
  private int size;

  TokenCounts() {
    this.keys = new int[16];
    this.counts = new int[16];
    Arrays.fill(keys, EMPTY);
  }

  private TokenCounts(TokenCounts other) {
    this.keys = other.keys.clone();
    this.counts = other.counts.clone();
    this.size = other.size;
  }

  TokenCounts copy() {
    return new TokenCounts(this);
  }

  /** A token of the prompt. */
  void addPrompt(int token) {
    slot(token);
  }

  /** A token of the output. */
  void addOutput(int token) {
    int slot = slot(token); // first, since it may move the counts
    counts[slot]++;
  }

  /** Changes the logits of all tokens that were seen. */
  void apply(Penalties penalties, MemorySegment logits, long rowStart) {
    for (int slot = 0; slot < keys.length; slot++) {
      if (keys[slot] != EMPTY) {
        long at = rowStart + keys[slot];
        float logit = logits.getAtIndex(ValueLayout.JAVA_FLOAT, at);
        logits.setAtIndex(ValueLayout.JAVA_FLOAT, at, penalties.apply(logit, counts[slot]));
      }
    }
  }

  /** The place of a token; makes one if there is none. */
  private int slot(int token) {
    int slot = find(token);
    if (keys[slot] == token) {
      return slot;
    }
    if (2 * (size + 1) > keys.length) {
      grow();
      slot = find(token);
    }
    keys[slot] = token;
    size++;
    return slot;
  }

  /** Where a token is, or can be put. */
  private int find(int token) {
    int slot = ((token * 0x9E3779B9) >>> 7) & (keys.length - 1);
    while (keys[slot] != EMPTY && keys[slot] != token) {
      slot = (slot + 1) & (keys.length - 1);
    }
    return slot;
  }

  private void grow() {
    int[] oldKeys = keys;
    int[] oldCounts = counts;
    keys = new int[2 * oldKeys.length];
    counts = new int[keys.length];
    Arrays.fill(keys, EMPTY);
    for (int i = 0; i < oldKeys.length; i++) {
      if (oldKeys[i] != EMPTY) {
        int slot = find(oldKeys[i]);
        keys[slot] = oldKeys[i];
        counts[slot] = oldCounts[i];
      }
    }
  }
}
