package dev.sluice.worker.service;

import dev.sluice.common.fair.FairQueue;
import dev.sluice.v1.GenerateRequest;
import java.util.OptionalLong;

/**
 * How soon a request wants to be served.
 *
 * @param priority higher goes first
 * @param ttftTargetNanos time to first token that the caller can live with
 */
record Urgency(int priority, OptionalLong ttftTargetNanos) {
  /** No hurry. */
  static final Urgency ORDINARY = new Urgency(0, OptionalLong.empty());

  private static final long NANOS_PER_SECOND = 1_000_000_000;
  private static final long MAX_SECONDS = 1_000_000;

  static Urgency of(GenerateRequest request) {
    return new Urgency(
        request.getPriority(),
        request.hasTtftTarget() ? OptionalLong.of(targetNanos(request)) : OptionalLong.empty());
  }

  static void check(GenerateRequest request, Violations violations) {
    violations.range(
        "priority", request.getPriority(), FairQueue.MIN_PRIORITY, FairQueue.MAX_PRIORITY, false);
    if (request.hasTtftTarget()) {
      violations.check(
          targetNanos(request) > 0,
          "ttft_target",
          request.getTtftTarget().getSeconds()
              + "."
              + String.format("%09d", request.getTtftTarget().getNanos())
              + " s (expected: above 0)");
    }
  }

  private static long targetNanos(GenerateRequest request) {
    long seconds = Math.clamp(request.getTtftTarget().getSeconds(), -MAX_SECONDS, MAX_SECONDS);
    return seconds * NANOS_PER_SECOND + request.getTtftTarget().getNanos();
  }
}
