package dev.sluice.router.proxy;

import dev.sluice.v1.Finished;
import dev.sluice.v1.Started;
import dev.sluice.v1.Timings;
import java.util.Optional;

/**
 * What only the router knows of an answer that is complete.
 *
 * @param attempts workers that were tried
 * @param admissionWaitNanos from arrival to the first attempt
 * @param interruptedNanos time without a worker
 * @param resumed of a stream that several workers made
 */
record Journey(
    int attempts, long admissionWaitNanos, long interruptedNanos, Optional<Resumed> resumed) {
  /**
   * A stream that more than one worker made, on the router's clock.
   *
   * @param resumes times that it moved
   * @param recoveringNanos from each loss to the next worker's first message
   * @param catchingUpNanos of this, what that worker took
   * @param begun what the first worker said
   * @param progress all that passed
   * @param arrivalNanos the request came
   * @param endNanos now
   */
  record Resumed(
      int resumes,
      long recoveringNanos,
      long catchingUpNanos,
      Started begun,
      Progress progress,
      long arrivalNanos,
      long endNanos) {}

  /** The end of the answer as the client gets it. */
  Finished complete(Finished finished) {
    Finished.Builder rewritten = finished.toBuilder();
    Timings.Builder timings = rewritten.getTimingsBuilder();
    timings
        .setAttempts(attempts)
        .setAdmissionWaitNanos(admissionWaitNanos)
        .setInterruptedNanos(interruptedNanos);
    resumed.ifPresent(r -> {
      // The last worker knows only its own part, and those between it and the first told nothing:
      // what they took to go on is on our clock, and prefill but for what the last one queued.
      Progress progress = r.progress();
      timings
          .setResumes(r.resumes())
          .setPrefillNanos(
              r.begun().getPrefillNanos()
                  + Math.max(0, r.catchingUpNanos() - timings.getQueueNanos()))
          .setQueueNanos(r.begun().getQueueNanos() + timings.getQueueNanos())
          .setTtftNanos(
              progress.firstTokenNanos() == 0 ? 0 : progress.firstTokenNanos() - r.arrivalNanos())
          .setDecodeNanos(Math.max(0, progress.decodeNanos() - r.recoveringNanos()))
          .setE2ENanos(r.endNanos() - r.arrivalNanos())
          .setItlMeanNanos(progress.meanGapNanos())
          .setItlMaxNanos(progress.longestGapNanos());
      rewritten
          .getUsageBuilder()
          .setPromptTokens(r.begun().getPromptTokens())
          .setCachedPromptTokens(r.begun().getCachedPromptTokens())
          .setOutputTokens(progress.outputTokens());
    });
    return rewritten.build();
  }
}
