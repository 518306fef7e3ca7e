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
 * @param resumed of a stream that several workers made
 */
record Journey(int attempts, long admissionWaitNanos, Optional<Resumed> resumed) {
  /**
   * A stream that more than one worker made, on the router's clock.
   *
   * @param resumes times that it moved
   * @param interruptedNanos time without a worker
   * @param begun what the first worker said
   * @param progress all that passed
   * @param arrivalNanos the request came
   * @param endNanos now
   */
  record Resumed(
      int resumes,
      long interruptedNanos,
      Started begun,
      Progress progress,
      long arrivalNanos,
      long endNanos) {}

  /** The end of the answer as the client gets it. */
  Finished complete(Finished finished) {
    Finished.Builder rewritten = finished.toBuilder();
    Timings.Builder timings = rewritten.getTimingsBuilder();
    timings.setAttempts(attempts).setAdmissionWaitNanos(admissionWaitNanos);
    resumed.ifPresent(r -> {
      // The last worker knows only its own part.
      Progress progress = r.progress();
      timings
          .setResumes(r.resumes())
          .setInterruptedNanos(r.interruptedNanos())
          .setQueueNanos(r.begun().getQueueNanos() + timings.getQueueNanos())
          .setPrefillNanos(r.begun().getPrefillNanos() + timings.getPrefillNanos())
          .setTtftNanos(
              progress.firstTokenNanos() == 0 ? 0 : progress.firstTokenNanos() - r.arrivalNanos())
          .setDecodeNanos(progress.decodeNanos())
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
