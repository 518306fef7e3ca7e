package dev.sluice.worker.service;

import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.Finished;
import dev.sluice.v1.Timings;
import dev.sluice.v1.Usage;
import dev.sluice.worker.engine.FinishCause;
import dev.sluice.worker.engine.GenerationSummary;
import dev.sluice.worker.engine.RequestTimings;
import java.util.Optional;

/** The last messages of a stream, out of what the engine says. */
final class Endings {
  private Endings() {}

  static ChoiceFinished choice(int choice, FinishCause cause, Optional<String> stopString) {
    ChoiceFinished.Builder finished = ChoiceFinished.newBuilder().setChoice(choice);
    if (stopString.isPresent()) {
      // The engine may have ended the choice for a reason of its own before it heard of the stop.
      return finished
          .setReason(FinishReason.FINISH_REASON_STOP_STRING)
          .setStop(stopString.get())
          .build();
    }
    return switch (cause) {
      case FinishCause.EndOfSequence _, FinishCause.EndOfOutput _ ->
          finished.setReason(FinishReason.FINISH_REASON_STOP_EOS).build();
      case FinishCause.StopToken stop ->
          finished
              .setReason(FinishReason.FINISH_REASON_STOP_TOKEN)
              .setStopTokenId(stop.tokenId())
              .build();
      case FinishCause.Length _ -> finished.setReason(FinishReason.FINISH_REASON_LENGTH).build();
      case FinishCause.ConstraintDone _ ->
          finished.setReason(FinishReason.FINISH_REASON_CONSTRAINT_DONE).build();
      case FinishCause.ConstraintDeadEnd _ ->
          finished.setReason(FinishReason.FINISH_REASON_CONSTRAINT_DEAD_END).build();
      case FinishCause.Context _ -> finished.setReason(FinishReason.FINISH_REASON_CONTEXT).build();
      case FinishCause.Stopped _ ->
          throw new IllegalStateException("stopped without a stop string");
    };
  }

  static Finished finished(GenerationPlan plan, GenerationSummary summary, int outputTokens) {
    RequestTimings t = summary.timings();
    return Finished.newBuilder()
        .setUsage(usage(summary, outputTokens))
        .setTimings(
            Timings.newBuilder()
                .setAdmissionWaitNanos(plan.admissionWaitNanos())
                .setQueueNanos(t.queueNanos())
                .setPrefillNanos(t.prefillNanos())
                .setTtftNanos(t.ttftNanos())
                .setDecodeNanos(t.decodeNanos())
                .setE2ENanos(t.e2eNanos())
                .setItlMeanNanos(t.itlMeanNanos())
                .setItlMaxNanos(t.itlMaxNanos())
                .setPreemptions(summary.preemptions())
                .setAttempts(plan.attempt()))
        .build();
  }

  static Usage usage(GenerationSummary summary, int outputTokens) {
    return Usage.newBuilder()
        .setPromptTokens(summary.promptTokens())
        .setCachedPromptTokens(summary.cachedPromptTokens())
        .setOutputTokens(outputTokens)
        .build();
  }
}
