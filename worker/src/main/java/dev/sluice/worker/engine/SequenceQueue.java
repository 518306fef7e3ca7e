package dev.sluice.worker.engine;

import org.jspecify.annotations.Nullable;

/**
 * A list of sequences, linked through the sequences themselves: every operation takes constant time
 * and allocates nothing. A sequence is in at most one queue.
 *
 * <p>Threading: engine thread.
 */
final class SequenceQueue {
  private @Nullable Sequence first;
  private @Nullable Sequence last;
  private int size;

  @Nullable Sequence first() {
    return first;
  }

  @Nullable Sequence last() {
    return last;
  }

  int size() {
    return size;
  }

  boolean isEmpty() {
    return size == 0;
  }

  void addFirst(Sequence sequence) {
    link(null, sequence, first);
  }

  void addLast(Sequence sequence) {
    link(last, sequence, null);
  }

  void remove(Sequence sequence) {
    if (sequence.queue != this) {
      throw new IllegalStateException(sequence.requestId() + " is not in this queue");
    }
    Sequence before = sequence.previous;
    Sequence after = sequence.next;
    if (before == null) {
      first = after;
    } else {
      before.next = after;
    }
    if (after == null) {
      last = before;
    } else {
      after.previous = before;
    }
    sequence.previous = null;
    sequence.next = null;
    sequence.queue = null;
    size--;
  }

  private void link(@Nullable Sequence before, Sequence sequence, @Nullable Sequence after) {
    if (sequence.queue != null) {
      throw new IllegalStateException(sequence.requestId() + " is in a queue");
    }
    sequence.queue = this;
    sequence.previous = before;
    sequence.next = after;
    if (before == null) {
      first = sequence;
    } else {
      before.next = sequence;
    }
    if (after == null) {
      last = sequence;
    } else {
      after.previous = sequence;
    }
    size++;
  }
}
