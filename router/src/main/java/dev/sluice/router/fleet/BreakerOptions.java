package dev.sluice.router.fleet;

import dev.sluice.common.config.Checks;
import java.time.Duration;

/**
 * When a worker that fails is left alone, though it says that it is ready.
 *
 * @param window latest calls that are judged
 * @param minCalls fewer calls than this are not judged
 * @param failurePercent so many of them failed: the breaker opens
 * @param openTime how long it stays open before the worker is probed
 * @param probes calls that may probe it at the same time
 */
public record BreakerOptions(
    int window, int minCalls, int failurePercent, Duration openTime, int probes) {
  public static final BreakerOptions DEFAULTS =
      new BreakerOptions(10, 5, 50, Duration.ofSeconds(5), 2);

  private static final int MOST_CALLS = 1_000;

  public BreakerOptions {
    Checks.range("window", window, 1, MOST_CALLS);
    Checks.range("min-calls", minCalls, 1, window);
    Checks.range("failure-percent", failurePercent, 1, 100);
    Checks.range("probes", probes, 1, MOST_CALLS);
    Checks.atLeast("open-time", openTime, Duration.ofMillis(1));
  }
}
