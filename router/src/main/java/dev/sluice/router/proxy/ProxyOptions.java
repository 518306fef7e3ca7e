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
}
