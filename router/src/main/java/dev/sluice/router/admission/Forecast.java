package dev.sluice.router.admission;

import java.util.OptionalDouble;

/**
 * What a newcomer has to expect; empty where nothing is known yet.
 *
 * @param queuedRequests that wait
 * @param tokensAhead prompt tokens that are sent to workers before its own
 * @param waitNanos in the queue
 * @param prefillNanos from there to its first token
 * @param itlNanos from token to token
 */
record Forecast(
    int queuedRequests,
    long tokensAhead,
    OptionalDouble waitNanos,
    OptionalDouble prefillNanos,
    OptionalDouble itlNanos) {
  /** Time to the first token. What is not known counts as nothing: it must not lock anybody out. */
  double ttftNanos() {
    return waitNanos.orElse(0) + prefillNanos.orElse(0);
  }

  /** Time to the end of an answer of so many tokens. */
  double endNanos(double outputTokens) {
    return ttftNanos() + Math.max(0, outputTokens - 1) * itlNanos.orElse(0);
  }
}
