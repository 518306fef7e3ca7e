package dev.sluice.common.template;

/**
 * What one rendering may still cost. Every step of the interpreter and every piece of text or list
 * that it makes is charged, so that a hostile template ends soon and in little memory.
 *
 * <p>Threading: belongs to one rendering.
 */
final class Budget {
  /** A long conversation with tools takes some hundred thousand. */
  static final long MAX_STEPS = 4_000_000;

  /** Of the output and of any string, in characters. */
  static final int MAX_SIZE = 16 << 20;

  /** Nested expressions, statements and values; keeps far from the end of the stack. */
  static final int MAX_DEPTH = 300;

  private static final int CALL_DEPTH = 4;
  private static final int SIZE_PER_STEP = 32;

  /** What an item of a list counts for, in characters. */
  private static final int ITEM_SIZE = 8;

  private long steps = MAX_STEPS;
  private int depth;

  void step() {
    if (--steps < 0) {
      throw new Failure("the template takes too long (expected: at most " + MAX_STEPS + " steps)");
    }
  }

  /** Charges for something of that many characters, before it is made. */
  void charge(long size) {
    if (size > MAX_SIZE) {
      throw new Failure("a value of size " + size + " (expected: at most " + MAX_SIZE + ")");
    }
    steps -= size / SIZE_PER_STEP;
    step();
  }

  /** Charges for a list, before it is made. */
  void chargeItems(long count) {
    charge(Math.min(count, MAX_SIZE) * ITEM_SIZE);
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

  /**
   * As {@link #enter}, for a macro's call or a loop's recursion: they take far more of the stack.
   */
  void enterCall() {
    depth += CALL_DEPTH;
    enter();
  }

  void leaveCall() {
    leave();
    depth -= CALL_DEPTH;
  }
}
