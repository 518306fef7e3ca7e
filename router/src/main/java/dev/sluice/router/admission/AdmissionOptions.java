package dev.sluice.router.admission;

import dev.sluice.common.config.Checks;
import java.time.Duration;

/**
 * How requests wait for a worker.
 *
 * @param maxQueuedRequests requests per model that wait for room at its workers; one tenant gets at
 *     most half of what the others leave
 * @param maxQueuedTokens prompt tokens of these, likewise
 * @param queueTimeout how long a request waits for room at most; 0 refuses at once
 * @param ageing after this time a tenant of which nothing was sent gets one turn before all others
 * @param burst a tenant that has used nothing for so long may use the whole of it at once
 */
public record AdmissionOptions(
    int maxQueuedRequests,
    long maxQueuedTokens,
    Duration queueTimeout,
    Duration ageing,
    Duration burst) {
  private static final int MOST_REQUESTS = 1_000_000;
  private static final Duration LEAST = Duration.ofMillis(1);

  public static final AdmissionOptions DEFAULTS =
      new AdmissionOptions(
          4_096, 8_000_000, Duration.ofSeconds(60), Duration.ofSeconds(30), Duration.ofSeconds(10));

  public AdmissionOptions {
    Checks.range("max-queued-requests", maxQueuedRequests, 1, MOST_REQUESTS);
    Checks.atLeast("max-queued-tokens", maxQueuedTokens, 1L);
    Checks.atLeast("queue-timeout", queueTimeout, Duration.ZERO);
    Checks.atLeast("ageing", ageing, LEAST);
    Checks.range("burst", burst, LEAST, Duration.ofHours(1));
  }

  /** These with another time limit. */
  public AdmissionOptions withQueueTimeout(Duration timeout) {
    return new AdmissionOptions(maxQueuedRequests, maxQueuedTokens, timeout, ageing, burst);
  }
}
