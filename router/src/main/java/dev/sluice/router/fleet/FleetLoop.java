package dev.sluice.router.fleet;

import java.time.Duration;
import java.util.concurrent.Executor;

/**
 * Runs tasks one after another, now or later. It is the only writer of the fleet's state, and its
 * only clock, so that a test can own both.
 */
public interface FleetLoop extends Executor, AutoCloseable {
  /** Runs {@code task} after {@code delay}, unless the answer is cancelled before. */
  Subscription schedule(Duration delay, Runnable task);

  /** Monotonic time, nanoseconds. */
  long nanoTime();

  /** Runs nothing more. */
  @Override
  void close();
}
