package dev.sluice.router.testing;

import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.Delta;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.Finished;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Started;
import dev.sluice.v1.Timings;
import dev.sluice.v1.Usage;
import java.util.ArrayList;
import java.util.List;

/** The messages of a stream as a worker sends them. */
public final class Answers {
  private Answers() {}

  public static GenerateResponse started(String workerId, GenerateRequest request) {
    return GenerateResponse.newBuilder()
        .setSequence(1)
        .setStarted(
            Started.newBuilder()
                .setRequestId(request.getRequestId())
                .setModel("m")
                .setWorkerId(workerId)
                .setPromptTokens(3)
                .setSeed(request.getHop().getSeed()))
        .build();
  }

  public static GenerateResponse delta(long sequence, String text) {
    return GenerateResponse.newBuilder()
        .setSequence(sequence)
        .setDelta(Delta.newBuilder().addTokenIds((int) sequence).setText(text))
        .build();
  }

  public static GenerateResponse choiceFinished(long sequence) {
    return GenerateResponse.newBuilder()
        .setSequence(sequence)
        .setChoiceFinished(
            ChoiceFinished.newBuilder().setReason(FinishReason.FINISH_REASON_STOP_EOS))
        .build();
  }

  public static GenerateResponse finished(long sequence, int outputTokens) {
    return GenerateResponse.newBuilder()
        .setSequence(sequence)
        .setFinished(
            Finished.newBuilder()
                .setUsage(Usage.newBuilder().setPromptTokens(3).setOutputTokens(outputTokens))
                .setTimings(Timings.newBuilder().setQueueNanos(11).setTtftNanos(22)))
        .build();
  }

  /** Started, so many deltas, ChoiceFinished, Finished. */
  public static List<GenerateResponse> stream(
      String workerId, GenerateRequest request, int deltas) {
    List<GenerateResponse> messages = new ArrayList<>();
    messages.add(started(workerId, request));
    for (int i = 0; i < deltas; i++) {
      messages.add(delta(messages.size() + 1, "t" + i + " "));
    }
    messages.add(choiceFinished(messages.size() + 1));
    messages.add(finished(messages.size() + 1, deltas));
    return messages;
  }
}
