package dev.sluice.worker.service;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.v1.Delta;
import dev.sluice.v1.GenerateOnceResponse;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerateResult;
import dev.sluice.v1.GeneratedChoice;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Gathers the messages of a stream into one. */
final class ResultSink implements ResponseSink {
  private static final int MAX_BYTES = 4 << 20;

  private final StreamObserver<GenerateOnceResponse> observer;
  private final GenerateResult.Builder result = GenerateResult.newBuilder();
  private final List<GeneratedChoice.Builder> choices = new ArrayList<>();
  private final List<StringBuilder> texts = new ArrayList<>(); // of these
  private int bytes;

  ResultSink(StreamObserver<GenerateOnceResponse> observer) {
    this.observer = observer;
  }

  @Override
  public boolean isReady() {
    return true;
  }

  @Override
  public void send(GenerateResponse response) {
    bytes += response.getSerializedSize();
    if (bytes > MAX_BYTES) {
      throw new RefusalException(
          new Refusal.Overloaded(
              "RESULT_TOO_LARGE",
              "result: " + bytes + " bytes (expected: at most " + MAX_BYTES + "; use Generate)",
              Duration.ZERO,
              Map.of("limit", Integer.toString(MAX_BYTES))));
    }
    switch (response.getEventCase()) {
      case STARTED -> result.setStarted(response.getStarted());
      case PROMPT_LOGPROBS ->
          result.addAllPromptLogprobs(response.getPromptLogprobs().getTokensList());
      case DELTA -> {
        Delta delta = response.getDelta();
        choice(delta.getChoice())
            .addAllTokenIds(delta.getTokenIdsList())
            .addAllLogprobs(delta.getLogprobsList());
        texts.get(delta.getChoice()).append(delta.getText());
      }
      case CHOICE_FINISHED ->
          choice(response.getChoiceFinished().getChoice())
              .setFinished(response.getChoiceFinished());
      case FINISHED -> result.setFinished(response.getFinished());
      case EVENT_NOT_SET -> throw new IllegalStateException("a response without an event");
    }
  }

  private GeneratedChoice.Builder choice(int index) {
    while (choices.size() <= index) {
      choices.add(GeneratedChoice.newBuilder());
      texts.add(new StringBuilder());
    }
    return choices.get(index);
  }

  @Override
  public void complete() {
    for (int i = 0; i < choices.size(); i++) {
      result.addChoices(choices.get(i).setText(texts.get(i).toString()));
    }
    observer.onNext(GenerateOnceResponse.newBuilder().setResult(result).build());
    observer.onCompleted();
  }

  @Override
  public void fail(StatusRuntimeException status) {
    observer.onError(status);
  }
}
