package dev.sluice.router.edge;

import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.Delta;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.PromptLogprobs;
import dev.sluice.v1.Started;
import dev.sluice.v1.Usage;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;

/**
 * One request on its way through the pipeline. Flow control goes through: while its sink cannot
 * take more, no message is asked for, and the worker is not let run ahead.
 *
 * <p>Threading: all but {@link #start} in the executor of its options, one task at a time.
 */
public final class GenerationCall extends ClientCall.Listener<GenerateResponse> {
  /** Messages asked for before those that came are sent. */
  private static final int AHEAD = 8;

  /** What becomes of the answer; ends with {@link #finished} or {@link #failed}. */
  public interface Sink {
    /** The first token is near. */
    default void started(Started started) {}

    /** The next log-probabilities of the prompt's tokens. */
    default void promptLogprobs(PromptLogprobs part) {}

    /** New tokens of a choice. */
    void delta(Delta delta);

    /** A choice is complete. */
    void choiceFinished(ChoiceFinished finished);

    /** All choices are complete. */
    void finished(Usage usage);

    /** There will be no more of it. */
    void failed(Status status, Metadata trailers);

    /** Whether what is sent now goes out soon. */
    boolean isReady();
  }

  private final ClientCall<GenerateRequest, GenerateResponse> call;
  private final Sink sink;
  private int owed; // messages that were not asked for while the sink could take no more
  private boolean over;

  private GenerationCall(ClientCall<GenerateRequest, GenerateResponse> call, Sink sink) {
    this.call = call;
    this.sink = sink;
  }

  /**
   * Starts it, in the context of the caller: its deadline holds, and its end is the end of this.
   *
   * @param options with an executor that runs callbacks one after the other
   * @param headers become those of the call
   */
  public static GenerationCall start(
      Channel channel, CallOptions options, GenerateRequest request, Metadata headers, Sink sink) {
    GenerationCall started =
        new GenerationCall(
            channel.newCall(GenerationServiceGrpc.getGenerateMethod(), options), sink);
    started.call.start(started, headers);
    started.call.request(AHEAD);
    started.call.sendMessage(request);
    started.call.halfClose();
    return started;
  }

  /** The sink can take more. */
  public void askForMore() {
    if (owed > 0 && sink.isReady()) {
      call.request(owed);
      owed = 0;
    }
  }

  /** Ends it; the sink hears no more. */
  public void cancel(String why) {
    over = true;
    call.cancel(why, null);
  }

  @Override
  public void onMessage(GenerateResponse message) {
    if (over) {
      return;
    }
    switch (message.getEventCase()) {
      case STARTED -> sink.started(message.getStarted());
      case PROMPT_LOGPROBS -> sink.promptLogprobs(message.getPromptLogprobs());
      case DELTA -> sink.delta(message.getDelta());
      case CHOICE_FINISHED -> sink.choiceFinished(message.getChoiceFinished());
      case FINISHED -> {
        over = true;
        sink.finished(message.getFinished().getUsage());
      }
      case EVENT_NOT_SET -> {
        // of a later version: nothing that this one could pass on
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
