package dev.sluice.common.fair;

import dev.sluice.common.list.ListNode;

/**
 * One item's place with a {@link FairQueue}, from {@link FairQueue#open} to {@link
 * FairQueue#close}. It is a node of the queue's lists, so that queueing allocates nothing.
 *
 * <p>Threading: the queue's.
 */
public final class FairEntry<T> extends ListNode<FairEntry<T>> {
  /** Where an item stands. */
  enum State {
    /** Neither waits nor is in service; it may still be charged for. */
    OUT,
    /** Waits. */
    QUEUED,
    /** Was taken and is not done. */
    IN_SERVICE,
    /** Forgotten. */
    CLOSED
  }

  private final T item;
  final Flow<T> flow;
  final long serial;
  State state = State.OUT;
  boolean promoted;
  long tokens; // that its tenant is still to be charged for

  FairEntry(T item, Flow<T> flow, long serial) {
    this.item = item;
    this.flow = flow;
    this.serial = serial;
  }

  public T item() {
    return item;
  }

  /** On whose account it runs. */
  public String tenant() {
    return flow.tenant;
  }

  /** Higher goes first. */
  public int priority() {
    return flow.level.priority;
  }

  /** Whether it was taken because it, or those before it, had waited too long. */
  public boolean isPromoted() {
    return promoted;
  }

  public boolean isQueued() {
    return state == State.QUEUED;
  }

  /**
   * The virtual time of its tenant, in tokens per weight, once it is charged for all of this entry.
   * While it is charged bit by bit this does not change.
   */
  public double virtualFinish() {
    return flow.virtualTime + tokens / flow.weight;
  }
}
