package dev.sluice.worker.engine;

import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The sequences that have a deadline, the next one first.
 *
 * <p>Threading: engine thread. Asking who has expired allocates nothing.
 */
final class Deadlines {
  private final TreeSet<Sequence> sequences = new TreeSet<>(Deadlines::compare);

  void add(Sequence sequence) {
    if (sequence.task().deadlineNanos().isPresent()) {
      sequences.add(sequence);
    }
  }

  void remove(Sequence sequence) {
    if (sequence.task().deadlineNanos().isPresent()) {
      sequences.remove(sequence);
    }
  }

  /** A sequence whose deadline has come, if there is one. */
  @Nullable Sequence expired(long nowNanos) {
    if (sequences.isEmpty()) {
      return null;
    }
    Sequence first = sequences.first();
    return nanos(first) - nowNanos <= 0 ? first : null;
  }

  private static long nanos(Sequence sequence) {
    return sequence.task().deadlineNanos().orElseThrow();
  }

  private static int compare(Sequence a, Sequence b) {
    int byDeadline = Long.signum(nanos(a) - nanos(b)); // readings of a clock may wrap around
    return byDeadline != 0 ? byDeadline : Long.compare(a.serial(), b.serial());
  }
}
