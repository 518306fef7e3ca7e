package dev.sluice.worker.engine;

/**
 * Measures the engine. {@link RequestTimings} defines the latencies.
 *
 * <p>Threading: called on the engine thread, on the token path: must not block, allocate or throw.
 */
public interface EngineObserver {
  /** Measures nothing. */
  EngineObserver NONE =
      new EngineObserver() {
        @Override
        public void onStep(long nanos, int sequences, int prefillTokens, int decodeTokens) {}

        @Override
        public void onScheduled(GenerationTask task, long queueNanos) {}

        @Override
        public void onFirstToken(GenerationTask task, long ttftNanos) {}

        @Override
        public void onNextToken(GenerationTask task, long itlNanos) {}

        @Override
        public void onPreempted() {}
      };

  /**
   * A step was computed and its tokens were handed out.
   *
   * @param nanos how long it took, planning and sampling included
   * @param sequences sequences in the step
   * @param prefillTokens prompt tokens, and tokens computed again after preemption
   * @param decodeTokens sequences that computed just their latest token
   */
  void onStep(long nanos, int sequences, int prefillTokens, int decodeTokens);

  /** A request was scheduled for the first time. */
  void onScheduled(GenerationTask task, long queueNanos);

  /** A request's first token was handed out. */
  void onFirstToken(GenerationTask task, long ttftNanos);

  /** A request's second or later token was handed out. */
  void onNextToken(GenerationTask task, long itlNanos);

  /** A request lost its blocks to others. */
  void onPreempted();
}
