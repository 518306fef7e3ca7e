package dev.sluice.worker.triton;

import dev.sluice.triton.ModelInferRequest;
import dev.sluice.triton.ModelInferResponse;
import dev.sluice.triton.ModelStreamInferResponse;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The call that a request makes to Triton: one stream for each, so that they end each for itself.
 *
 * <p>Threading: gRPC calls it, one thread at a time; {@link #cancel} by any thread.
 */
final class TritonCall
    implements ClientResponseObserver<ModelInferRequest, ModelStreamInferResponse> {
  private static final int RESPONSES_AHEAD = 8;

  private final Consumer<ModelInferResponse> response;
  private final Consumer<Status> end;
  private volatile @Nullable ClientCallStreamObserver<ModelInferRequest> call;

  /**
   * @param response takes each response
   * @param end hears once that no more comes, and whether that is well
   */
  TritonCall(Consumer<ModelInferResponse> response, Consumer<Status> end) {
    this.response = response;
    this.end = end;
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<ModelInferRequest> stream) {
    call = stream;
    stream.disableAutoRequestWithInitial(RESPONSES_AHEAD);
  }

  @Override
  public void onNext(ModelStreamInferResponse message) {
    if (message.getErrorMessage().isEmpty()) {
      response.accept(message.getInferResponse());
    } else { // of servers that do not know of errors as statuses
      end.accept(Status.INTERNAL.withDescription(message.getErrorMessage()));
    }
    ClientCallStreamObserver<ModelInferRequest> stream = call;
    if (stream != null) {
      stream.request(1);
    }
  }

  @Override
  public void onError(Throwable error) {
    end.accept(Status.fromThrowable(error));
  }

  @Override
  public void onCompleted() {
    end.accept(Status.OK);
  }

  /** The rest is not wanted; Triton hears of it. */
  void cancel() {
    ClientCallStreamObserver<ModelInferRequest> stream = call;
    if (stream != null) {
      stream.cancel("the request has ended", null);
    }
  }
}
