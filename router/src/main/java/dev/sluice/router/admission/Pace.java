package dev.sluice.router.admission;

import java.time.Duration;
import java.util.OptionalDouble;

/**
 * How fast the workers of a model are, learnt from what passes: the time to a first token against
 * the prompt tokens that had to be computed for it, as a straight line through the latest ones; the
 * time between tokens; and how fast the queue is emptied while there is one.
 *
 * <p>Every figure is forgotten when it was not confirmed for a while, so that a bad time does not
 * lock out for ever those whose answers would show that it is over.
 *
 * <p>Threading: guarded by its lane.
 */
final class Pace {
  private static final long VALID_NANOS = Duration.ofSeconds(20).toNanos();
  private static final double KEEP = 0.95; // weight of what was known when a sample comes
  private static final double DRAIN_NANOS = 5e9; // over which the queue's rate is a mean
  private static final double LEAST_DRAIN_NANOS = 5e8;
  private static final double LEAST_SAMPLES = 3;
  private static final double LEAST_SPREAD = 0.1; // variance over squared mean: a slope shows

  // of (tokens, nanoseconds to the first token), each sample weighted by its age
  private double weight;
  private double meanTokens;
  private double meanNanos;
  private double variance; // of tokens, times weight
  private double covariance; // times weight
  private long prefillAtNanos;

  private double itlNanos;
  private long itlAtNanos;

  private double drainedTokens;
  private double drainNanos;
  private long drainAtNanos;
  private boolean backlogged;

  /**
   * A first token came.
   *
   * @param tokens that had to be computed at its worker, its own and those before
   * @param elapsedNanos since it was sent there
   */
  void prefilled(long tokens, long elapsedNanos, long nowNanos) {
    if (isOld(prefillAtNanos, nowNanos)) {
      weight = 0;
      variance = 0;
      covariance = 0;
    }
    prefillAtNanos = nowNanos;
    weight = weight * KEEP + 1;
    double distance = tokens - meanTokens;
    double step = 1 / weight;
    meanTokens += step * distance;
    variance = variance * KEEP + distance * (tokens - meanTokens);
    covariance = covariance * KEEP + distance * (1 - step) * (elapsedNanos - meanNanos);
    meanNanos += step * (elapsedNanos - meanNanos);
  }

  /** An answer is complete. */
  void decoded(long meanGapNanos, long nowNanos) {
    boolean first = itlNanos == 0 || isOld(itlAtNanos, nowNanos);
    itlNanos = first ? meanGapNanos : itlNanos + (1 - KEEP) * (meanGapNanos - itlNanos);
    itlAtNanos = nowNanos;
  }

  /** Whether something waits, from now on. */
  void backlogged(boolean waits, long nowNanos) {
    pass(nowNanos);
    backlogged = waits;
  }

  /** Something left the queue for a worker. */
  void drained(long tokens, long nowNanos) {
    pass(nowNanos);
    drainedTokens += tokens;
  }

  private void pass(long nowNanos) {
    if (isOld(drainAtNanos, nowNanos) && !backlogged) {
      drainedTokens = 0;
      drainNanos = 0;
    } else if (backlogged) {
      double passed = nowNanos - drainAtNanos;
      double kept = Math.exp(-passed / DRAIN_NANOS);
      drainedTokens *= kept;
      drainNanos = drainNanos * kept + passed;
    }
    drainAtNanos = nowNanos;
  }

  /** Time to the first token at a worker that has so many to compute before; empty if unknown. */
  OptionalDouble prefillNanos(double tokens, long nowNanos) {
    if (weight < LEAST_SAMPLES * KEEP || isOld(prefillAtNanos, nowNanos)) {
      return OptionalDouble.empty();
    }
    double spread = variance / weight;
    double slope =
        spread < LEAST_SPREAD * meanTokens * meanTokens
            ? 0 // all had the same length: nothing says what a longer one takes
            : Math.max(0, covariance / variance);
    return OptionalDouble.of(Math.max(0, meanNanos + slope * (tokens - meanTokens)));
  }

  /** Time from token to token; empty if unknown. */
  OptionalDouble itlNanos(long nowNanos) {
    return itlNanos == 0 || isOld(itlAtNanos, nowNanos)
        ? OptionalDouble.empty()
        : OptionalDouble.of(itlNanos);
  }

  /** Time until so many tokens that wait have been sent to workers; empty if unknown. */
  OptionalDouble waitNanos(double tokens, long nowNanos) {
    pass(nowNanos);
    return drainNanos < LEAST_DRAIN_NANOS || drainedTokens <= 0
        ? OptionalDouble.empty()
        : OptionalDouble.of(tokens * drainNanos / drainedTokens);
  }

  private static boolean isOld(long atNanos, long nowNanos) {
    return nowNanos - atNanos > VALID_NANOS;
  }
}
