package dev.sluice.worker.constraint;

import org.jspecify.annotations.Nullable;

/**
 * The stack of a program that runs, top first: rules that are called and loops that are open.
 * Immutable; stacks share what is below. Equal if the same in all frames.
 *
 * <p>Threading: immutable.
 */
final class Frame {
  /** The empty stack. */
  static final Frame BOTTOM = new Frame(null, 0, 0, null);

  /** Where a rule returns to, or the loop; null at the bottom. */
  final @Nullable Node node;

  /** Passes of the loop that have begun. */
  final int count;

  /** Calls that are open. */
  final int calls;

  private final @Nullable Frame below;
  private final int hash;

  private Frame(@Nullable Node node, int count, int calls, @Nullable Frame below) {
    this.node = node;
    this.count = count;
    this.calls = calls;
    this.below = below;
    this.hash =
        31 * (31 * System.identityHashCode(node) + count) + (below == null ? 0 : below.hash);
  }

  /** A rule is called that returns to this place. */
  Frame call(Node next) {
    return new Frame(next, 0, calls + 1, this);
  }

  /** A loop begins. */
  Frame enter(Node.Loop loop) {
    return new Frame(loop, 0, calls, this);
  }

  /** The same stack with another count on top. */
  Frame withCount(int passes) {
    return passes == count ? this : new Frame(node, passes, calls, below);
  }

  Frame below() {
    if (below == null) {
      throw new IllegalStateException("nothing is below the bottom");
    }
    return below;
  }

  boolean isBottom() {
    return below == null;
  }

  /**
   * The same stack, but for counts that are so far from their loops' bounds that it makes no
   * difference within so many passes: these become the least such.
   */
  @SuppressWarnings("ReferenceEquality") // the same object if nothing has changed
  Frame clamped(int passes) {
    if (below == null) {
      return this;
    }
    Frame under = below.clamped(passes);
    int least = node instanceof Node.Loop loop ? clamped(loop, passes) : count;
    return under == below && least == count ? this : new Frame(node, least, calls, under);
  }

  private int clamped(Node.Loop loop, int passes) {
    if (count < loop.min) {
      // 0 passes is a place of its own: the next one is the first
      return count > 0 && loop.min - count > passes ? 1 : count;
    }
    int from = Math.max(loop.min, 1);
    return count > from && (loop.max == Node.Loop.UNBOUNDED || loop.max - count > passes)
        ? from
        : count;
  }

  @Override
  public boolean equals(Object other) {
    Frame a = this;
    if (!(other instanceof Frame b) || a.hash != b.hash) {
      return false;
    }
    while (a != b) {
      if (a.node != b.node || a.count != b.count || a.calls != b.calls || a.below == null) {
        return false;
      }
      a = a.below;
      if (b.below == null) {
        return false;
      }
      b = b.below;
    }
    return true;
  }

  @Override
  public int hashCode() {
    return hash;
  }
}
