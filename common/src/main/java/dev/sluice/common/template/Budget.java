package dev.sluice.common.template;

/**
 * What one rendering may still cost. Every step of the interpreter and every piece of text or list
 * that it makes is charged, so that a hostile template ends soon and in little memory.
 *
 * <p>Threading: belongs to one rendering.
 */
final class Budget {
  /** A long conversation with tools takes some hundred thousand. */
  static final long MAX_STEPS = 10_000_000;

  /** Of the output and of any string or list, in characters and elements. */
  static final int MAX_SIZE = 16 << 20;

  /** Nested expressions, statements and values; keeps far from the end of the stack. */
  static final int MAX_DEPTH = 500;

  private static final int SIZE_PER_STEP = 16;

  private long steps = MAX_STEPS;
  private int depth;

  void step() {
    if (--steps < 0) {
      throw new Failure("the template takes too long (expected: at most " + MAX_STEPS + " steps)");
    }
  }

  /** Charges for something of that many characters or elements, before it is made. */
  void charge(long size) {
    if (size > MAX_SIZE) {
      throw new Failure("a value of size " + size + " (expected: at most " + MAX_SIZE + ")");
    }
    steps -= size / SIZE_PER_STEP;
    step();
  }

  void enter() {
    step();
    if (++depth > MAX_DEPTH) {
      throw new Failure("nested too deeply (expected: at most " + MAX_DEPTH + " levels)");
    }
  }

  void leave() {
    depth--;
  }
}
