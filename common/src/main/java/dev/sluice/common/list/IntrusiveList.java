package dev.sluice.common.list;

import org.jspecify.annotations.Nullable;

/**
 * A doubly linked list whose links are in its elements: every operation takes constant time and
 * allocates nothing. An element is in at most one list.
 *
 * <p>Threading: confined to its owner.
 */
public final class IntrusiveList<N extends ListNode<N>> {
  private @Nullable N first;
  private @Nullable N last;
  private int size;

  public @Nullable N first() {
    return first;
  }

  public @Nullable N last() {
    return last;
  }

  public int size() {
    return size;
  }

  public boolean isEmpty() {
    return size == 0;
  }

  /**
   * Puts a node before all others.
   *
   * @throws IllegalStateException if the node is in a list
   */
  public void addFirst(N node) {
    link(null, node, first);
  }

  /**
   * Puts a node behind all others.
   *
   * @throws IllegalStateException if the node is in a list
   */
  public void addLast(N node) {
    link(last, node, null);
  }

  /**
   * Puts a node before another one.
   *
   * @throws IllegalStateException if the node is in a list, or the other one not in this list
   */
  public void addBefore(N node, N other) {
    checkHere(other);
    link(other.previous, node, other);
  }

  /**
   * Takes a node out.
   *
   * @throws IllegalStateException if the node is not in this list
   */
  public void remove(N node) {
    checkHere(node);
    N before = node.previous;
    N after = node.next;
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
    node.previous = null;
    node.next = null;
    node.list = null;
    size--;
  }

  private void link(@Nullable N before, N node, @Nullable N after) {
    if (node.list != null) {
      throw new IllegalStateException(node + " is in a list (expected: in none)");
    }
    node.list = this;
    node.previous = before;
    node.next = after;
    if (before == null) {
      first = node;
    } else {
      before.next = node;
    }
    if (after == null) {
      last = node;
    } else {
      after.previous = node;
    }
    size++;
  }

  private void checkHere(N node) {
    if (node.list != this) {
      throw new IllegalStateException(node + " is not in this list");
    }
  }
}
