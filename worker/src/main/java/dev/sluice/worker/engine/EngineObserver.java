package dev.sluice.worker.engine;

/**
 * Measures the engine; what an observer does not override it does not measure. {@link
 * RequestTimings} defines the latencies.
 *
 * <p>Threading: called on the engine thread, on the token path: must not block, allocate or throw.
 */
public interface EngineObserver {
  /** Measures nothing. */
  EngineObserver NONE = new EngineObserver() {};

  /**
   * A step was computed and its tokens were handed out.
   *
   * @param nanos how long it took, planning and sampling included
   * @param sequences sequences in the step
   * @param prefillTokens prompt tokens, and tokens computed again after preemption
   * @param decodeTokens sequences that computed just their latest token
   */
  default void onStep(long nanos, int sequences, int prefillTokens, int decodeTokens) {}

  /** A request was scheduled for the first time. */
  default void onScheduled(GenerationTask task, long queueNanos) {}

  /** A request's first token was handed out. */
  default void onFirstToken(GenerationTask task, long ttftNanos) {}

  /** A request's second or later token was handed out. */
  default void onNextToken(GenerationTask task, long itlNanos) {}

  /** A request lost its blocks to others. */
  default void onPreempted() {}
}
