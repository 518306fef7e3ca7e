package dev.sluice.worker.simulation;

import dev.sluice.common.error.Refusal;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a simulation has measured so far; it grows while it runs.
 *
 * <p>Threading: the simulation's thread.
 */
public final class SimulationResult {
  private final Histogram ttft = new Histogram();
  private final Histogram itl = new Histogram();
  private final Histogram tpot = new Histogram();
  private final Histogram queue = new Histogram();
  private final Histogram e2e = new Histogram();
  private final Histogram step = new Histogram();
  private final Map<String, Long> failures = new TreeMap<>();
  long arrived;
  long completed;
  long good;
  long promptTokens;
  long cachedTokens;
  long outputTokens;
  long goodOutputTokens;
  long computedPromptTokens;
  long preemptions;
  long steps;
  long endNanos;
  long mostWaiting;
  long withoutRetryDelay;

  void fail(Refusal refusal) {
    failures.merge(name(refusal), 1L, Long::sum);
    if (refusal instanceof Refusal.Overloaded overloaded && overloaded.retryAfter().isZero()) {
      withoutRetryDelay++;
    }
  }

  private static String name(Refusal refusal) {
    return switch (refusal) {
      case Refusal.Overloaded r -> r.reason();
      case Refusal.Unavailable r -> r.reason();
      case Refusal.Unserviceable r -> r.reason();
      case Refusal.DeadlineExceeded _ -> "DEADLINE_EXCEEDED";
      case Refusal.Cancelled _ -> "CANCELLED";
      case Refusal.Internal _ -> "INTERNAL";
      case Refusal.Invalid _ -> "INVALID_ARGUMENT";
      case Refusal.NotFound _ -> "NOT_FOUND";
      case Refusal.Unauthenticated _ -> "UNAUTHENTICATED";
      case Refusal.Forbidden _ -> "PERMISSION_DENIED";
      case Refusal.Unimplemented _ -> "UNIMPLEMENTED";
    };
  }

  /** Arrival to first token, of completed requests. */
  public Histogram ttft() {
    return ttft;
  }

  /** Each gap between tokens of one request. */
  public Histogram itl() {
    return itl;
  }

  /** (End - first token) / (output tokens - 1), of completed requests. */
  public Histogram tpot() {
    return tpot;
  }

  /** Arrival to first step, of completed requests. */
  public Histogram queue() {
    return queue;
  }

  /** Arrival to end, of completed requests. */
  public Histogram e2e() {
    return e2e;
  }

  /** Time of each step. */
  public Histogram step() {
    return step;
  }

  /** How many requests were not served, by reason. */
  public Map<String, Long> failures() {
    return failures;
  }

  public long failed() {
    return failures.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Refusals for overload that did not say when to try again. */
  public long withoutRetryDelay() {
    return withoutRetryDelay;
  }

  /** Requests that came. */
  public long arrived() {
    return arrived;
  }

  public long completed() {
    return completed;
  }

  /** Completed requests that met their TTFT target and their time; those without count as well. */
  public long good() {
    return good;
  }

  /** Prompt tokens of completed requests. */
  public long promptTokens() {
    return promptTokens;
  }

  /** Of these, tokens found in the cache. */
  public long cachedTokens() {
    return cachedTokens;
  }

  public long outputTokens() {
    return outputTokens;
  }

  /** Prompt tokens computed, those computed again included. */
  public long computedPromptTokens() {
    return computedPromptTokens;
  }

  /** Times that a request lost its blocks. */
  public long preemptions() {
    return preemptions;
  }

  public long steps() {
    return steps;
  }

  /** Most requests that waited at one time. */
  public long mostWaiting() {
    return mostWaiting;
  }

  /** Simulated time so far. */
  public long endNanos() {
    return endNanos;
  }
}
