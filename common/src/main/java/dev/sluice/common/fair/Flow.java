package dev.sluice.common.fair;

import dev.sluice.common.list.ListNode;

/**
 * What one tenant has in one class, and what it was served there.
 *
 * <pre>
 *   idle       no open entries: kept only while its virtual time is ahead of the others'
 *   active     has entries queued or in service
 *   backlogged has entries queued: it is in its level's heap and in the list of those that wait
 * </pre>
 *
 * <p>Threading: the queue's.
 */
final class Flow<T> extends ListNode<Flow<T>> {
  final String tenant;
  final Level<T> level;
  final EntryList<T> queued = new EntryList<>();
  double weight;
  double virtualFinish; // virtual time once its first entry is served, while it is backlogged
  double virtualTime; // tokens charged, per weight, lifted to the others' when it comes from idle
  boolean fresh; // not served since it became active: goes first among equals
  long stamp; // grows; when it became active or was served
  int open;
  int inService;
  int heapIndex;
  long waitingSinceNanos; // for its turn, while it is backlogged
  long turn; // grows in the order of waitingSinceNanos

  Flow(String tenant, Level<T> level) {
    this.tenant = tenant;
    this.level = level;
  }

  boolean isActive() {
    return inService > 0 || queued.size() > 0;
  }

  /** Looks at its first entry and virtual time anew; it is backlogged. */
  void refresh() {
    FairEntry<T> first = queued.first();
    virtualFinish = first == null ? virtualTime : first.virtualFinish();
  }

  /** Whether it is served before another backlogged flow of its class. */
  boolean precedes(Flow<T> other) {
    return virtualFinish == other.virtualFinish ? wins(other) : virtualFinish < other.virtualFinish;
  }

  /** Whether it is served before another one if neither finishes earlier. */
  boolean wins(Flow<T> other) {
    if (fresh != other.fresh) {
      return fresh;
    }
    return stamp < other.stamp;
  }
}
