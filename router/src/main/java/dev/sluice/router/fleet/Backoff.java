package dev.sluice.router.fleet;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * Waiting times between attempts to reach a worker: doubled each time up to a limit, then spread
 * over the upper half, so that a fleet of routers does not come back at one moment.
 *
 * <p>Threading: one thread.
 */
final class Backoff {
  private final Duration initial;
  private final Duration max;
  private final RandomGenerator random;
  private int failures;

  Backoff(Duration initial, Duration max, RandomGenerator random) {
    this.initial = initial;
    this.max = max;
    this.random = random;
  }

  /** The time to wait after one more failure. */
  Duration next() {
    long limitNanos = max.toNanos();
    long nanos = initial.toNanos();
    for (int i = 0; i < failures && nanos < limitNanos; i++) {
      nanos *= 2;
    }
    failures++;
    nanos = Math.min(nanos, limitNanos);
    return Duration.ofNanos(nanos / 2 + (long) (random.nextDouble() * (nanos - nanos / 2)));
  }

  /** Starts over after a success. */
  void reset() {
    failures = 0;
  }
}
