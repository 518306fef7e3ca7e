package dev.sluice.router.kserve;

import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.Delta;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.Usage;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * One request of the protocol on its way through the pipeline.
 *
 * <p>Threading: its executor, one task at a time.
 */
final class InferCall extends ClientCall.Listener<GenerateResponse> {
  /** Messages asked for before those that came are sent. */
  private static final int AHEAD = 8;

  /** What becomes of the answer. */
  interface Sink {
    void delta(Delta delta);

    void choiceFinished(ChoiceFinished finished);

    void finished(Usage usage);

    /** Instead of {@link #finished}. */
    void failed(Status status, Metadata trailers);

    /** Whether what is sent now goes out soon. */
    boolean isReady();
  }

  private final ClientCall<GenerateRequest, GenerateResponse> call;
  private final Sink sink;
  private int owed;
  private boolean over;

  private InferCall(ClientCall<GenerateRequest, GenerateResponse> call, Sink sink) {
    this.call = call;
    this.sink = sink;
  }

  /**
   * Starts it.
   *
   * @param context the client's call: its deadline holds, and its end is the end of this
   * @param executor runs callbacks one after the other
   */
  static InferCall start(
      Channel channel,
      Inference inference,
      Context context,
      Metadata headers,
      Executor executor,
      Sink sink) {
    CallOptions options = CallOptions.DEFAULT.withExecutor(executor);
    CallOptions limited =
        inference.timeoutMicros().isPresent()
            ? options.withDeadlineAfter(
                inference.timeoutMicros().getAsLong(), TimeUnit.MICROSECONDS)
            : options;
    Context previous = context.attach();
    try {
      InferCall infer =
          new InferCall(channel.newCall(GenerationServiceGrpc.getGenerateMethod(), limited), sink);
      infer.call.start(infer, headers);
      infer.call.request(AHEAD);
      infer.call.sendMessage(inference.request());
      infer.call.halfClose();
      return infer;
    } finally {
      context.detach(previous);
    }
  }

  /** The sink can take more. */
  void askForMore() {
    if (owed > 0 && sink.isReady()) {
      call.request(owed);
      owed = 0;
    }
  }

  void cancel(String why) {
    over = true;
    call.cancel(why, null);
  }

  @Override
  public void onMessage(GenerateResponse message) {
    if (over) {
      return;
    }
    switch (message.getEventCase()) {
      case DELTA -> sink.delta(message.getDelta());
      case CHOICE_FINISHED -> sink.choiceFinished(message.getChoiceFinished());
      case FINISHED -> {
        over = true;
        sink.finished(message.getFinished().getUsage());
      }
      case STARTED, PROMPT_LOGPROBS, EVENT_NOT_SET -> {
        // the protocol has no place for them
      }
    }
    owed++;
    askForMore();
  }

  @Override
  public void onClose(Status status, Metadata trailers) {
    if (over) {
      return;
    }
    over = true;
    sink.failed(
        status.isOk() ? Status.INTERNAL.withDescription("the answer is not complete") : status,
        trailers);
  }
}
