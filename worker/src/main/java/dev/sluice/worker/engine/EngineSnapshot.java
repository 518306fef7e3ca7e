package dev.sluice.worker.engine;

/**
 * The engine's state at one moment.
 *
 * @param state whether it serves
 * @param runningRequests requests that hold blocks
 * @param waitingRequests requests that wait, preempted ones included
 * @param pendingPrefillTokens tokens of all requests to be computed before their next output token
 * @param totalBlocks blocks of the KV pool
 * @param ownedBlocks blocks that belong to running requests
 * @param freeBlocks blocks without content
 * @param steps steps computed
 * @param stepAgeNanos age of the step that runs now; 0 if none runs
 * @param stepNanos duration of the latest step
 * @param outputTokens tokens produced
 * @param preemptions times that a request lost its blocks to others
 * @param cancelled requests that ended by {@link Engine#cancel}
 * @param draftTokens tokens that speculative decoding proposed
 * @param acceptedDraftTokens of these, tokens that were right
 * @param phases what the time was spent on
 */
public record EngineSnapshot(
    State state,
    int runningRequests,
    int waitingRequests,
    long pendingPrefillTokens,
    int totalBlocks,
    int ownedBlocks,
    int freeBlocks,
    long steps,
    long stepAgeNanos,
    long stepNanos,
    long outputTokens,
    long preemptions,
    long cancelled,
    long draftTokens,
    long acceptedDraftTokens,
    Phases phases) {
  /**
   * What the engine's thread has spent its time on, waiting for requests left out.
   *
   * @param scheduleNanos taking requests, planning and packing steps
   * @param modelNanos the model
   * @param samplingNanos choosing tokens
   * @param publishNanos handing tokens out
   */
  public record Phases(long scheduleNanos, long modelNanos, long samplingNanos, long publishNanos) {
    /** What was spent since an earlier moment. */
    public Phases minus(Phases earlier) {
      return new Phases(
          scheduleNanos - earlier.scheduleNanos,
          modelNanos - earlier.modelNanos,
          samplingNanos - earlier.samplingNanos,
          publishNanos - earlier.publishNanos);
    }
  }

  /** Whether the engine serves. */
  public enum State {
    /** Takes requests. */
    SERVING,
    /** Finishes what it has, takes no more. */
    DRAINING,
    /** Closed. */
    STOPPED,
    /** Ended by an error; every request has failed. */
    FAILED
  }

  /** Blocks that no request owns but whose content can be found again. */
  public int cachedBlocks() {
    return totalBlocks - ownedBlocks - freeBlocks;
  }

  /** This with what only other threads know. */
  EngineSnapshot with(Intake.Unseen unseen, long newStepAgeNanos) {
    return new EngineSnapshot(
        unseen.state(),
        runningRequests,
        waitingRequests + unseen.requests(),
        pendingPrefillTokens + unseen.tokens(),
        totalBlocks,
        ownedBlocks,
        freeBlocks,
        steps,
        newStepAgeNanos,
        stepNanos,
        outputTokens,
        preemptions,
        cancelled,
        draftTokens,
        acceptedDraftTokens,
        phases);
  }
}
