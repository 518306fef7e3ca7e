package dev.sluice.router.index;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A set of workers, by their slots. Blocks that are cached at the same workers share one object.
 *
 * <p>Threading: immutable.
 */
final class WorkerSet {
  static final WorkerSet NONE = new WorkerSet(new long[0]);

  private final long[] words; // bit s % 64 of word s / 64: slot s; the last word is not 0
  private final int hash;

  private WorkerSet(long[] words) {
    this.words = words;
    this.hash = Arrays.hashCode(words);
  }

  boolean isEmpty() {
    return words.length == 0;
  }

  boolean contains(int slot) {
    return (word(slot >> 6) & (1L << slot)) != 0;
  }

  /** Bits of slots 64 * index to 64 * index + 63. */
  long word(int index) {
    return index < words.length ? words[index] : 0;
  }

  WorkerSet with(int slot) {
    long[] more = Arrays.copyOf(words, Math.max(words.length, (slot >> 6) + 1));
    more[slot >> 6] |= 1L << slot;
    return new WorkerSet(more);
  }

  WorkerSet without(int slot) {
    if (!contains(slot)) {
      return this;
    }
    long[] less = words.clone();
    less[slot >> 6] &= ~(1L << slot);
    int length = less.length;
    while (length > 0 && less[length - 1] == 0) {
      length--;
    }
    return length == 0 ? NONE : new WorkerSet(Arrays.copyOf(less, length));
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return this == other || (other instanceof WorkerSet set && Arrays.equals(words, set.words));
  }

  @Override
  public int hashCode() {
    return hash;
  }
}
