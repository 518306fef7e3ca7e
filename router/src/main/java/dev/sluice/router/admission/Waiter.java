package dev.sluice.router.admission;

import java.util.Optional;

/** A request that waits for room, as its place in the queue sees it. */
public interface Waiter {
  /**
   * Fleet loop: it is first in the queue. Looks for a worker, and answers what is to be done once
   * it has left the queue; empty if no worker has room: it then keeps its place.
   */
  Optional<Runnable> turn();

  /** It has left the queue without a turn: it was stopped, or its time is over. */
  void left();
}
