package dev.sluice.common.list;

import org.jspecify.annotations.Nullable;

/**
 * What can be in an {@link IntrusiveList}: it carries the list's links.
 *
 * <p>Threading: that of the list.
 *
 * @param <N> the class that extends this one
 */
public abstract class ListNode<N extends ListNode<N>> {
  @Nullable N previous;
  @Nullable N next;
  @Nullable IntrusiveList<N> list;

  /** The element before it; null if it is the first or in no list. */
  public final @Nullable N previous() {
    return previous;
  }

  /** The element behind it; null if it is the last or in no list. */
  public final @Nullable N next() {
    return next;
  }

  public final boolean isIn(IntrusiveList<N> other) {
    return list == other;
  }
}
