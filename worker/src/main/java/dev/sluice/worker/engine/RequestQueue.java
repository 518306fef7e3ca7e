package dev.sluice.worker.engine;

import org.jspecify.annotations.Nullable;

/**
 * A list of requests, linked through the requests themselves: every operation takes constant time
 * and allocates nothing. A request is in at most one queue.
 *
 * <p>Threading: engine thread.
 */
final class RequestQueue {
  private @Nullable Request first;
  private @Nullable Request last;
  private int size;

  @Nullable Request first() {
    return first;
  }

  @Nullable Request last() {
    return last;
  }

  int size() {
    return size;
  }

  boolean isEmpty() {
    return size == 0;
  }

  void addFirst(Request request) {
    link(null, request, first);
  }

  void addLast(Request request) {
    link(last, request, null);
  }

  void remove(Request request) {
    if (request.queue != this) {
      throw new IllegalStateException(request.requestId() + " is not in this queue");
    }
    Request before = request.previous;
    Request after = request.next;
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
    request.previous = null;
    request.next = null;
    request.queue = null;
    size--;
  }

  private void link(@Nullable Request before, Request request, @Nullable Request after) {
    if (request.queue != null) {
      throw new IllegalStateException(request.requestId() + " is in a queue");
    }
    request.queue = this;
    request.previous = before;
    request.next = after;
    if (before == null) {
      first = request;
    } else {
      before.next = request;
    }
    if (after == null) {
      last = request;
    } else {
      after.previous = request;
    }
    size++;
  }
}
