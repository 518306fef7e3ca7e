package dev.sluice.router.proxy;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Bounds how much work failures may add: every request pays in a part of a move, a move costs one.
 * A fleet that fails as a whole then gets a little more load than clients send, never a multiple.
 *
 * <p>Threading: any thread, without locks.
 */
final class RetryBudget {
  private static final long MOVE = 100; // a request pays in its percentage of this
  private static final long RESERVE = 10 * MOVE; // so that a router with few requests can move some
  private static final long MOST = 100 * MOVE;

  private final int percent;
  private final AtomicLong balance = new AtomicLong(RESERVE);

  /**
   * @param percent moves per 100 requests
   */
  RetryBudget(int percent) {
    this.percent = percent;
  }

  /** A request arrived. */
  void request() {
    balance.getAndUpdate(now -> Math.min(MOST, now + percent));
  }

  /** Pays for a move; false if there is not enough. */
  boolean tryMove() {
    return balance.getAndUpdate(now -> now >= MOVE ? now - MOVE : now) >= MOVE;
  }
}
