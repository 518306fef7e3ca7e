package dev.sluice.router.fleet;

import java.time.Duration;

/**
 * How workers are watched.
 *
 * @param silenceTimeout a worker that says nothing for so long is suspect, and what it has goes
 *     elsewhere; it beats every second
 * @param stallTimeout a worker whose engine stands still for so long, or that is silent for so long
 *     about a request that it is decoding, has stalled: what it has goes elsewhere
 * @param backoffInitial pause before a lost worker is tried again
 * @param backoffMax longest such pause
 * @param breaker when a worker that fails is left alone
 * @param dnsRefresh how often names ({@code dns:///host:port}) are looked up again
 */
public record FleetOptions(
    Duration silenceTimeout,
    Duration stallTimeout,
    Duration backoffInitial,
    Duration backoffMax,
    BreakerOptions breaker,
    Duration dnsRefresh) {
  public static final FleetOptions DEFAULTS =
      new FleetOptions(
          Duration.ofSeconds(10),
          Duration.ofSeconds(10),
          Duration.ofMillis(100),
          Duration.ofSeconds(5),
          BreakerOptions.DEFAULTS,
          Duration.ofSeconds(10));

  public FleetOptions {
    positive("silence-timeout", silenceTimeout);
    positive("stall-timeout", stallTimeout);
    positive("backoff-initial", backoffInitial);
    if (dnsRefresh.toMillis() < 1_000) {
      throw new IllegalArgumentException(
          "dns-refresh: " + dnsRefresh.toMillis() + "ms (expected: at least 1s)");
    }
    if (backoffMax.compareTo(backoffInitial) < 0) {
      throw new IllegalArgumentException(
          "backoff-max: "
              + backoffMax.toMillis()
              + "ms (expected: at least backoff-initial, "
              + backoffInitial.toMillis()
              + "ms)");
    }
  }

  private static void positive(String key, Duration value) {
    if (!value.isPositive()) {
      throw new IllegalArgumentException(
          key + ": " + value.toMillis() + "ms (expected: above 0ms)");
    }
  }
}
