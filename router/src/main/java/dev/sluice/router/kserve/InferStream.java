package dev.sluice.router.kserve;

import dev.sluice.common.error.RefusalException;
import dev.sluice.common.error.Statuses;
import dev.sluice.router.edge.GenerationCall;
import dev.sluice.router.edge.TraceHeaders;
import dev.sluice.triton.ModelInferRequest;
import dev.sluice.triton.ModelInferResponse;
import dev.sluice.triton.ModelStreamInferResponse;
import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.Delta;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.Usage;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.SynchronizationContext;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One {@code ModelStreamInfer}: many requests at a time over one stream, told apart by their ids.
 * The failure of one is a message, unless the client wants it to be that of the stream. While the
 * client does not read, no request is given more to send; while too many run, no further one is
 * read.
 *
 * <p>Threading: all in {@link #serial}, one task at a time, whichever thread brings it.
 */
final class InferStream implements StreamObserver<ModelInferRequest> {
  private static final Logger log = LoggerFactory.getLogger(InferStream.class);
  private static final int MOST_AT_A_TIME = 256;

  private final Channel channel;
  private final ServerCallStreamObserver<ModelStreamInferResponse> client;
  private final TraceHeaders trace;
  private final UnaryOperator<GenerateRequest> rules;
  private final boolean statuses;
  private final Context context = Context.current();
  private final SynchronizationContext serial =
      new SynchronizationContext((_, e) -> log.error("a stream of inferences", e));
  private final Set<Part> running = new HashSet<>();
  private boolean halfClosed;
  private boolean over;

  /**
   * @param rules what requests become, or RefusalException
   * @param statuses whether a failed request ends the stream with its status
   */
  InferStream(
      Channel channel,
      ServerCallStreamObserver<ModelStreamInferResponse> client,
      TraceHeaders trace,
      UnaryOperator<GenerateRequest> rules,
      boolean statuses) {
    this.channel = channel;
    this.client = client;
    this.trace = trace;
    this.rules = rules;
    this.statuses = statuses;
  }

  /** Takes its place at the client's call; while its handler is entered. */
  void open() {
    client.disableAutoRequest();
    client.setOnReadyHandler(() -> serial.execute(this::askForMore));
    client.setOnCancelHandler(() -> serial.execute(this::cancelAll));
    client.request(1);
  }

  @Override
  public void onNext(ModelInferRequest request) {
    serial.execute(() -> begin(request));
  }

  @Override
  public void onError(Throwable failure) {
    serial.execute(this::cancelAll);
  }

  @Override
  public void onCompleted() {
    serial.execute(() -> {
      halfClosed = true;
      completeIfDone();
    });
  }

  private void begin(ModelInferRequest request) {
    if (over) {
      return;
    }
    try {
      running.add(new Part(InferRequests.translate(request).under(rules)));
    } catch (RefusalException e) {
      StatusRuntimeException refused = Statuses.toException(e.refusal());
      fail(request.getId(), refused.getStatus(), Statuses.trailers(refused));
    }
    if (!over && running.size() < MOST_AT_A_TIME) {
      client.request(1);
    }
  }

  private void askForMore() {
    List.copyOf(running).forEach(Part::askForMore);
  }

  private void cancelAll() {
    over = true;
    running.forEach(part -> part.cancel("the client hung up"));
    running.clear();
  }

  private void send(ModelInferResponse response) {
    if (!over) {
      client.onNext(ModelStreamInferResponse.newBuilder().setInferResponse(response).build());
    }
  }

  private void fail(String id, Status status, Metadata trailers) {
    if (over) {
      return;
    }
    if (statuses) {
      cancelAll();
      client.onError(status.asRuntimeException(trailers));
      return;
    }
    String description = status.getDescription();
    client.onNext(
        ModelStreamInferResponse.newBuilder()
            .setErrorMessage(status.getCode() + (description == null ? "" : ": " + description))
            .setInferResponse(ModelInferResponse.newBuilder().setId(id))
            .build());
  }

  private void ended(Part part) {
    boolean full = running.size() >= MOST_AT_A_TIME;
    running.remove(part);
    if (full && !over) {
      client.request(1);
    }
    completeIfDone();
  }

  private void completeIfDone() {
    if (halfClosed && running.isEmpty() && !over) {
      over = true;
      client.onCompleted();
    }
  }

  /** One request of the stream. */
  private final class Part implements GenerationCall.Sink {
    private final Inference inference;
    private final InferAnswers answers;
    private final FinishReason[] reasons; // by choice
    private final boolean[] begun; // by choice
    private final GenerationCall call;

    Part(Inference inference) {
      this.inference = inference;
      answers = new InferAnswers(inference);
      reasons = new FinishReason[inference.choices()];
      Arrays.fill(reasons, FinishReason.FINISH_REASON_UNSPECIFIED);
      begun = new boolean[inference.choices()];
      Context previous = context.attach();
      try {
        // its callbacks come through serial, so never before this returns
        call = inference.start(channel, trace.metadata(), serial, this);
      } finally {
        context.detach(previous);
      }
    }

    void askForMore() {
      call.askForMore();
    }

    void cancel(String why) {
      call.cancel(why);
    }

    @Override
    public void delta(Delta delta) {
      String text = echo(delta.getChoice()) + delta.getText();
      if (!text.isEmpty() || inference.tokenIds()) {
        send(answers.part(delta.getChoice(), text, delta.getTokenIdsList()));
      }
    }

    @Override
    public void choiceFinished(ChoiceFinished finished) {
      int choice = finished.getChoice();
      reasons[choice] = finished.getReason();
      String echo = echo(choice);
      if (!echo.isEmpty()) {
        send(answers.part(choice, echo, List.of())); // it said nothing else
      }
    }

    /** What comes before a choice, once. */
    private String echo(int choice) {
      boolean first = !begun[choice];
      begun[choice] = true;
      return first ? inference.echo() : "";
    }

    @Override
    public void finished(Usage usage) {
      if (inference.ending() || inference.counts()) {
        send(answers.ending(List.of(reasons), usage));
      }
      if (inference.emptyFinal()) {
        send(answers.last());
      }
      ended(this);
    }

    @Override
    public void failed(Status status, Metadata trailers) {
      fail(inference.id(), status, trailers);
      ended(this);
    }

    @Override
    public boolean isReady() {
      return client.isReady();
    }
  }
}
