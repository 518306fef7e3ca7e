package dev.sluice.worker.constraint;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Where an output is: all places of the program at which it may be, and what is known of the states
 * that follow.
 *
 * <p>Threading: any thread. What is found out later is written without a lock; whoever does not see
 * it finds out the same again. All that is handed over that way has final fields only.
 */
final class State {
  /** An automaton in the middle of its text, and what comes after it. */
  record Point(Node.Scan scan, int state, Frame frame) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Point that
          && scan == that.scan
          && state == that.state
          && frame.equals(that.frame);
    }

    @Override
    public int hashCode() {
      return 31 * (31 * System.identityHashCode(scan) + state) + frame.hashCode();
    }
  }

  /** Which tokens may come next, a bit each. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Mask(long[] words) {}

  final Point[] points;

  /** How much there is to follow; 0 if no output leads here. */
  final int weight;

  /** Whether the output may end here. */
  final boolean accepting;

  /** The store that keeps it, or that it would be kept in if there were room. */
  final StateStore store;

  final @Nullable State[] next; // [classes]
  @Nullable State clamped;
  @Nullable Mask mask;

  private final int hash;

  State(Point[] points, boolean accepting, StateStore store, int classes) {
    this.points = points;
    this.accepting = accepting;
    this.weight = points.length == 0 && !accepting ? 0 : points.length + 1;
    this.store = store;
    this.next = new State[classes];
    this.hash = 31 * Arrays.hashCode(points) + (accepting ? 1 : 0);
  }

  /** Whether no output leads here. */
  boolean isDead() {
    return weight == 0;
  }

  /** Bytes that it holds, about, without its mask. */
  long bytes() {
    return 96 + 4L * next.length + 72L * points.length;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof State that
        && hash == that.hash
        && accepting == that.accepting
        && Arrays.equals(points, that.points);
  }

  @Override
  public int hashCode() {
    return hash;
  }
}
