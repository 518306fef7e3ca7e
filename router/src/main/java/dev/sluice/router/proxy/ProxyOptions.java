package dev.sluice.router.proxy;

import java.time.Duration;

/**
 * How calls are passed on.
 *
 * @param maxAttempts workers that a request is sent to at most, one after another, before one of
 *     them brings a part of the answer
 * @param joinTimeout how long a request that nobody can take waits for workers that are joining
 * @param resumeTimeout how long a request that lost its worker waits for one that can take it
 * @param retryPercent moves beyond a request's first, per 100 requests
 * @param maxRequestDuration deadline of requests that bring none
 * @param messagesAhead messages asked for before the client has taken those before them
 */
public record ProxyOptions(
    int maxAttempts,
    Duration joinTimeout,
    Duration resumeTimeout,
    int retryPercent,
    Duration maxRequestDuration,
    int messagesAhead) {
  public static final ProxyOptions DEFAULTS =
      new ProxyOptions(
          4, Duration.ofSeconds(2), Duration.ofSeconds(30), 20, Duration.ofMinutes(10), 8);

  private static final int MOST_AHEAD = 1_024;

  public ProxyOptions {
    if (maxAttempts < 1) {
      throw new IllegalArgumentException("max-attempts: " + maxAttempts + " (expected: 1 or more)");
    }
    if (joinTimeout.isNegative()) {
      throw new IllegalArgumentException(
          "join-timeout: " + joinTimeout.toMillis() + "ms (expected: at least 0ms)");
    }
    if (resumeTimeout.isNegative()) {
      throw new IllegalArgumentException(
          "resume-timeout: " + resumeTimeout.toMillis() + "ms (expected: at least 0ms)");
    }
    if (retryPercent < 0 || retryPercent > 100) {
      throw new IllegalArgumentException(
          "retry-percent: " + retryPercent + " (expected: 0 to 100)");
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
