package dev.sluice.router.fleet;

import dev.sluice.common.config.Checks;
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
  private static final Duration LEAST = Duration.ofMillis(1);

  public static final FleetOptions DEFAULTS =
      new FleetOptions(
          Duration.ofSeconds(10),
          Duration.ofSeconds(10),
          Duration.ofMillis(100),
          Duration.ofSeconds(5),
          BreakerOptions.DEFAULTS,
          Duration.ofSeconds(10));

  public FleetOptions {
    Checks.atLeast("silence-timeout", silenceTimeout, LEAST);
    Checks.atLeast("stall-timeout", stallTimeout, LEAST);
    Checks.atLeast("backoff-initial", backoffInitial, LEAST);
    Checks.atLeast("dns-refresh", dnsRefresh, Duration.ofSeconds(1));
    if (backoffMax.compareTo(backoffInitial) < 0) {
      throw new IllegalArgumentException(
          "backoff-max: "
              + backoffMax.toMillis()
              + "ms (expected: at least backoff-initial, "
              + backoffInitial.toMillis()
              + "ms)");
    }
  }
}
