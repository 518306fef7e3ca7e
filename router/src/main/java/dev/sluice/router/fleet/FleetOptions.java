package dev.sluice.router.fleet;

import java.time.Duration;

/**
 * How workers are watched.
 *
 * @param silenceTimeout a worker that says nothing for so long is suspect; it beats every second
 * @param backoffInitial pause before a lost worker is tried again
 * @param backoffMax longest such pause
 */
public record FleetOptions(Duration silenceTimeout, Duration backoffInitial, Duration backoffMax) {
  public static final FleetOptions DEFAULTS =
      new FleetOptions(Duration.ofSeconds(10), Duration.ofMillis(100), Duration.ofSeconds(5));

  public FleetOptions {
    positive("silence-timeout", silenceTimeout);
    positive("backoff-initial", backoffInitial);
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
