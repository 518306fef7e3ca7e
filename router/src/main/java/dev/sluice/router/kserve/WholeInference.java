package dev.sluice.router.kserve;

import dev.sluice.router.edge.GenerationCall;
import dev.sluice.triton.ModelInferResponse;
import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.Delta;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.Usage;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Answers {@code ModelInfer}: collects the output, which the model's context bounds, and sends it
 * in one message.
 *
 * <p>Threading: as the call that feeds it.
 */
final class WholeInference implements GenerationCall.Sink {
  private final Inference inference;
  private final StreamObserver<ModelInferResponse> client;
  private final StringBuilder[] texts; // by choice
  private final FinishReason[] reasons; // by choice
  private final List<List<Integer>> tokenIds = new ArrayList<>(); // by choice

  WholeInference(Inference inference, StreamObserver<ModelInferResponse> client) {
    this.inference = inference;
    this.client = client;
    texts = new StringBuilder[inference.choices()];
    Arrays.setAll(texts, _ -> new StringBuilder(inference.echo()));
    reasons = new FinishReason[inference.choices()];
    Arrays.fill(reasons, FinishReason.FINISH_REASON_UNSPECIFIED);
    for (int i = 0; i < inference.choices(); i++) {
      tokenIds.add(new ArrayList<>());
    }
  }

  @Override
  public void delta(Delta delta) {
    texts[delta.getChoice()].append(delta.getText());
    if (inference.tokenIds()) {
      tokenIds.get(delta.getChoice()).addAll(delta.getTokenIdsList());
    }
  }

  @Override
  public void choiceFinished(ChoiceFinished finished) {
    reasons[finished.getChoice()] = finished.getReason();
  }

  @Override
  public void finished(Usage usage) {
    client.onNext(
        new InferAnswers(inference)
            .whole(
                Arrays.stream(texts).map(StringBuilder::toString).toList(),
                tokenIds.stream().flatMap(List::stream).toList(),
                List.of(reasons),
                usage));
    client.onCompleted();
  }

  @Override
  public void failed(Status status, Metadata trailers) {
    client.onError(status.asRuntimeException(trailers));
  }

  @Override
  public boolean isReady() {
    return true;
  }
}
