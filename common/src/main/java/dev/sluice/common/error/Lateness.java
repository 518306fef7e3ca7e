package dev.sluice.common.error;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** Refuses what is predicted to come too late, and says when to try again. */
public final class Lateness {
  private static final double NANOS_PER_MILLI = 1e6;
  private static final long LEAST_RETRY_NANOS = 10_000_000;
  private static final long MOST_RETRY_NANOS = 60_000_000_000L;

  private Lateness() {}

  /**
   * The first token would come after the request's target.
   *
   * @param numbers what else a program should know
   */
  public static Refusal.Overloaded firstToken(
      double predictedNanos, double targetNanos, Map<String, String> numbers) {
    return late("TTFT_TARGET", "time to first token", predictedNanos, targetNanos, numbers);
  }

  /**
   * The end would come after the request's deadline.
   *
   * @param leftNanos until the deadline
   * @param numbers what else a program should know
   */
  public static Refusal.Overloaded end(
      double predictedNanos, double leftNanos, Map<String, String> numbers) {
    return late("DEADLINE", "time to the end", predictedNanos, leftNanos, numbers);
  }

  private static Refusal.Overloaded late(
      String reason,
      String what,
      double predictedNanos,
      double limitNanos,
      Map<String, String> numbers) {
    String predicted = millis(predictedNanos);
    String limit = millis(limitNanos);
    Map<String, String> all = new HashMap<>(numbers);
    all.put("predicted_ms", predicted);
    all.put("limit_ms", limit);
    return new Refusal.Overloaded(
        reason,
        "predicted " + what + ": " + predicted + " ms (expected: at most " + limit + " ms)",
        retryAfter(predictedNanos - limitNanos),
        all);
  }

  /** A predicted wait as a retry delay: 10 ms to a minute. */
  public static Duration retryAfter(double nanos) {
    return Duration.ofNanos(Math.clamp((long) nanos, LEAST_RETRY_NANOS, MOST_RETRY_NANOS));
  }

  private static String millis(double nanos) {
    return Long.toString(Math.round(nanos / NANOS_PER_MILLI));
  }
}
