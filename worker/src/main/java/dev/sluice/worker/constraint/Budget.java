package dev.sluice.worker.constraint;

import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;

/**
 * What compiling one constraint has left of its limits.
 *
 * <p>Threading: the thread that compiles.
 */
final class Budget {
  /** How much work passes between two looks at the clock. */
  private static final int LOOK = 1 << 14;

  private final CompileLimits limits;
  private final BooleanSupplier cancelled;
  private final long startNanos = System.nanoTime();
  private long nodes;
  private long states;
  private long work;
  private long nextLook = LOOK;

  /**
   * @param cancelled whether nobody waits for the result any more; asked now and then
   */
  Budget(CompileLimits limits, BooleanSupplier cancelled) {
    this.limits = limits;
    this.cancelled = cancelled;
  }

  /** One more part. */
  void node() {
    if (++nodes > limits.nodes()) {
      throw new ConstraintException(
          "more than "
              + limits.nodes()
              + " parts with repetitions written out (expected: a smaller one)");
    }
    work(1);
  }

  /** One more state of an automaton. */
  void state() {
    if (++states > limits.states()) {
      throw new ConstraintException(
          "its automaton has more than " + limits.states() + " states (expected: a simpler one)");
    }
  }

  /** So much work more. */
  void work(int amount) {
    work += amount;
    if (work > limits.work()) {
      throw new ConstraintException(
          "compiling takes more than " + limits.work() + " steps (expected: a simpler one)");
    }
    if (work >= nextLook) {
      nextLook = work + LOOK;
      look();
    }
  }

  /** A nesting this deep. */
  void depth(int depth) {
    if (depth > limits.nesting()) {
      throw new ConstraintException(
          "nested more than " + limits.nesting() + " levels deep (expected: a flatter one)");
    }
  }

  /** A source of this size. */
  void source(int length) {
    if (length > limits.sourceLength()) {
      throw new ConstraintException(
          length + " characters (expected: at most " + limits.sourceLength() + ")");
    }
  }

  private void look() {
    if (cancelled.getAsBoolean()) {
      throw new CancellationException();
    }
    if (System.nanoTime() - startNanos > limits.time().toNanos()) {
      throw new ConstraintException(
          "compiling takes more than "
              + limits.time().toSeconds()
              + " s (expected: a simpler one)");
    }
  }
}
