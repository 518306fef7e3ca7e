package dev.sluice.common.fair;

import org.jspecify.annotations.Nullable;

/**
 * Flows in the order in which they were added, linked through themselves.
 *
 * <p>Threading: the queue's. Allocates nothing.
 */
final class FlowList<T> {
  private @Nullable Flow<T> first;
  private @Nullable Flow<T> last;
  private int size;

  @Nullable Flow<T> first() {
    return first;
  }

  int size() {
    return size;
  }

  void addLast(Flow<T> flow) {
    Flow<T> before = last;
    flow.previous = before;
    if (before == null) {
      first = flow;
    } else {
      before.next = flow;
    }
    last = flow;
    size++;
  }

  void remove(Flow<T> flow) {
    Flow<T> before = flow.previous;
    Flow<T> after = flow.next;
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
    flow.previous = null;
    flow.next = null;
    size--;
  }
}
