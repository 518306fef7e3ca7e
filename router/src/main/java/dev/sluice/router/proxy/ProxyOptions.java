package dev.sluice.router.proxy;

import java.time.Duration;

/**
 * How calls are passed on.
 *
 * @param maxAttempts workers that a request is sent to at most, one after another
 * @param joinTimeout how long a request that nobody can take waits for workers that are joining
 * @param maxRequestDuration deadline of requests that bring none
 * @param messagesAhead messages asked for before the client has taken those before them
 */
public record ProxyOptions(
    int maxAttempts, Duration joinTimeout, Duration maxRequestDuration, int messagesAhead) {
  public static final ProxyOptions DEFAULTS =
      new ProxyOptions(4, Duration.ofSeconds(2), Duration.ofMinutes(10), 8);

  private static final int MOST_AHEAD = 1_024;

  public ProxyOptions {
    if (maxAttempts < 1) {
      throw new IllegalArgumentException("max-attempts: " + maxAttempts + " (expected: 1 or more)");
    }
    if (joinTimeout.isNegative()) {
      throw new IllegalArgumentException(
          "join-timeout: " + joinTimeout.toMillis() + "ms (expected: at least 0ms)");
    }
    if (!maxRequestDuration.isPositive()) {
      throw new IllegalArgumentException(
          "max-request-duration: " + maxRequestDuration.toMillis() + "ms (expected: above 0ms)");
    }
    if (messagesAhead < 1 || messagesAhead > MOST_AHEAD) {
      throw new IllegalArgumentException(
          "messages-ahead: " + messagesAhead + " (expected: 1 to " + MOST_AHEAD + ")");
    }
  }
}
