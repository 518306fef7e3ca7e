package dev.sluice.router.fleet;

import java.time.Duration;

/**
 * How workers are watched.
 *
 * @param silenceTimeout a worker that says nothing for so long is suspect; it beats every second
 * @param backoffInitial pause before a lost worker is tried again
 * @param backoffMax longest such pause
 */
public record FleetOptions(
    Duration silenceTimeout, Duration backoffInitial, Duration backoffMax) {
  public static final FleetOptions DEFAULTS =
      new FleetOptions(Duration.ofSeconds(10), Duration.ofMillis(100), Duration.ofSeconds(5));
}
