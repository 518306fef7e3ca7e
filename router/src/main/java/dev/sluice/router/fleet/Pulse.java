package dev.sluice.router.fleet;

import dev.sluice.v1.Heartbeat;

/**
 * Whether a worker's engine moves, as its heartbeats tell. An idle engine does not, and is well; so
 * is one whose step takes long but ends within the limit, such as a long prefill.
 *
 * <p>Threading: the fleet loop.
 */
final class Pulse {
  private long steps;
  private long movedNanos;

  /** Of an engine that is not known yet. */
  Pulse(long nowNanos) {
    movedNanos = nowNanos;
  }

  /**
   * One heartbeat.
   *
   * @return how long the engine has stood still although it has a step to do, nanoseconds
   */
  long beat(Heartbeat heartbeat, long nowNanos) {
    boolean working = heartbeat.getStepAgeNanos() > 0 || heartbeat.getDecodingRequestIdsCount() > 0;
    if (heartbeat.getSteps() != steps || !working) {
      steps = heartbeat.getSteps();
      movedNanos = nowNanos;
    }
    // The age tells of a step that began before we watched.
    return Math.max(nowNanos - movedNanos, heartbeat.getStepAgeNanos());
  }
}
