package dev.sluice.worker.engine;

/**
 * Something that happened to a request on its way, for its trace.
 *
 * @param nanos when, on the engine's clock
 * @param tokens prompt tokens that were computed; 0 for the other kinds
 */
public record Milestone(Kind kind, long nanos, int tokens) {
  /** What happened. */
  public enum Kind {
    /** A step computed a part of the prompt. */
    PREFILL_CHUNK,
    /** Others took its blocks: everything is to be computed again. */
    PREEMPTED,
    /** It runs again after it was preempted. */
    RESUMED
  }
}
