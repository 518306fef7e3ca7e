package dev.sluice.worker.engine;

import java.util.OptionalLong;

/**
 * When things happened to one request, on the engine's clock, and the one place that defines the
 * latencies made of them. A latency whose start was not reached is 0; one whose end was not reached
 * lasts until the request's end.
 *
 * @param arrivalNanos the engine took the request
 * @param firstScheduledNanos a step with its first tokens was planned
 * @param prefillDoneNanos the last prompt token was computed
 * @param firstTokenNanos the first output token was handed to the listener
 * @param lastTokenNanos the last output token was handed to the listener
 * @param endNanos the request completed or failed
 * @param itlMaxNanos longest gap between two tokens of one choice; 0 with fewer than two tokens
 * @param gaps number of such gaps
 */
public record RequestTimings(
    long arrivalNanos,
    OptionalLong firstScheduledNanos,
    OptionalLong prefillDoneNanos,
    OptionalLong firstTokenNanos,
    OptionalLong lastTokenNanos,
    long endNanos,
    long itlMaxNanos,
    int gaps) {
  /** Queue time: arrival to first scheduled. */
  public long queueNanos() {
    return firstScheduledNanos.orElse(endNanos) - arrivalNanos;
  }

  /** Prefill: first scheduled to last prompt token computed. */
  public long prefillNanos() {
    return prefillDoneNanos.orElse(endNanos) - firstScheduledNanos.orElse(endNanos);
  }

  /** TTFT: arrival to first token handed to the listener; 0 if there was none. */
  public long ttftNanos() {
    return firstTokenNanos.orElse(arrivalNanos) - arrivalNanos;
  }

  /** Decode: first token to last token. */
  public long decodeNanos() {
    return lastTokenNanos.orElse(endNanos) - firstTokenNanos.orElse(endNanos);
  }

  /** Mean ITL, the gap between two tokens; 0 with fewer than two tokens. */
  public long itlMeanNanos() {
    return gaps == 0 ? 0 : decodeNanos() / gaps;
  }

  /** TPOT: first token to the end, per further token; 0 with fewer than two tokens. */
  public long tpotNanos() {
    return gaps == 0 ? 0 : (endNanos - firstTokenNanos.orElse(endNanos)) / gaps;
  }

  /** e2e: arrival to the end. */
  public long e2eNanos() {
    return endNanos - arrivalNanos;
  }
}
