package dev.sluice.client;

import com.google.protobuf.Any;
import com.google.rpc.BadRequest;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.Delta;
import dev.sluice.v1.DetokenizeRequest;
import dev.sluice.v1.DetokenizeResponse;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.Finished;
import dev.sluice.v1.GenerateOnceRequest;
import dev.sluice.v1.GenerateOnceResponse;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerateResult;
import dev.sluice.v1.GeneratedChoice;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.ListModelsRequest;
import dev.sluice.v1.ListModelsResponse;
import dev.sluice.v1.Model;
import dev.sluice.v1.Started;
import dev.sluice.v1.TokenizeRequest;
import dev.sluice.v1.TokenizeResponse;
import dev.sluice.v1.Usage;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Answers by what the prompt text says: echoes its words, or plays the server named by it. */
final class FakeGeneration extends GenerationServiceGrpc.GenerationServiceImplBase {
  /** Prompt that is refused with two violations. */
  static final String INVALID = "!invalid";

  /** Prompt that is refused as overloaded after one token. */
  static final String OVERLOADED = "!overloaded";

  /** Prompt whose answer never ends by itself; sent as fast as the reader takes it. */
  static final String ENDLESS = "!endless";

  /** Prompt that is never answered. */
  static final String SILENT = "!silent";

  final CountDownLatch cancelled = new CountDownLatch(1);
  final CountDownLatch stalled = new CountDownLatch(1);
  final AtomicInteger sent = new AtomicInteger();
  final AtomicLong deadlineNanos = new AtomicLong();

  @Override
  public void generate(GenerateRequest request, StreamObserver<GenerateResponse> out) {
    ServerCallStreamObserver<GenerateResponse> observer =
        (ServerCallStreamObserver<GenerateResponse>) out;
    observer.setOnCancelHandler(cancelled::countDown);
    var deadline = Context.current().getDeadline();
    if (deadline != null) {
      deadlineNanos.set(deadline.timeRemaining(TimeUnit.NANOSECONDS));
    }
    switch (request.getText()) {
      case INVALID -> out.onError(invalid());
      case OVERLOADED -> {
        out.onNext(delta(1, "one"));
        out.onError(overloaded());
      }
      case ENDLESS -> observer.setOnReadyHandler(() -> fill(observer));
      case SILENT -> {}
      default -> echo(request, out);
    }
  }

  private void fill(ServerCallStreamObserver<GenerateResponse> observer) {
    while (observer.isReady()) {
      observer.onNext(delta(sent.incrementAndGet(), "x".repeat(1024)));
    }
    stalled.countDown();
  }

  private static void echo(GenerateRequest request, StreamObserver<GenerateResponse> out) {
    int sequence = 1;
    out.onNext(
        GenerateResponse.newBuilder()
            .setSequence(sequence++)
            .setStarted(
                Started.newBuilder().setRequestId(request.getRequestId()).setWorkerId("worker-1"))
            .build());
    for (String word : request.getText().split("(?<= )", -1)) {
      out.onNext(delta(sequence++, word));
      out.onNext(delta(sequence++, ""));
    }
    out.onNext(
        GenerateResponse.newBuilder()
            .setSequence(sequence++)
            .setChoiceFinished(
                ChoiceFinished.newBuilder().setReason(FinishReason.FINISH_REASON_STOP_EOS))
            .build());
    out.onNext(
        GenerateResponse.newBuilder()
            .setSequence(sequence)
            .setFinished(Finished.newBuilder().setUsage(Usage.newBuilder().setOutputTokens(3)))
            .build());
    out.onCompleted();
  }

  private static GenerateResponse delta(int sequence, String text) {
    return GenerateResponse.newBuilder()
        .setSequence(sequence)
        .setDelta(Delta.newBuilder().setText(text).addTokenIds(sequence))
        .build();
  }

  private static StatusRuntimeException invalid() {
    return StatusProto.toStatusRuntimeException(
        Status.newBuilder()
            .setCode(Code.INVALID_ARGUMENT_VALUE)
            .setMessage("two fields are wrong")
            .addDetails(
                Any.pack(
                    BadRequest.newBuilder()
                        .addFieldViolations(violation("temperature", "3.0 (expected: 0.0 to 2.0)"))
                        .addFieldViolations(violation("n", "17 (expected: 1 to 16)"))
                        .build()))
            .build());
  }

  private static BadRequest.FieldViolation violation(String field, String description) {
    return BadRequest.FieldViolation.newBuilder()
        .setField(field)
        .setDescription(description)
        .build();
  }

  private static StatusRuntimeException overloaded() {
    Metadata trailers = new Metadata();
    trailers.put(
        Metadata.Key.of(
            "sluice-usage-bin", ProtoUtils.metadataMarshaller(Usage.getDefaultInstance())),
        Usage.newBuilder().setOutputTokens(1).build());
    return StatusProto.toStatusRuntimeException(
        Status.newBuilder()
            .setCode(Code.RESOURCE_EXHAUSTED_VALUE)
            .setMessage("queue full")
            .addDetails(
                Any.pack(
                    ErrorInfo.newBuilder()
                        .setReason("QUEUE_FULL")
                        .putMetadata("limit", "8")
                        .build()))
            .addDetails(
                Any.pack(
                    RetryInfo.newBuilder()
                        .setRetryDelay(
                            com.google.protobuf.Duration.newBuilder()
                                .setSeconds(1)
                                .setNanos(500_000_000))
                        .build()))
            .build(),
        trailers);
  }

  @Override
  public void generateOnce(GenerateOnceRequest request, StreamObserver<GenerateOnceResponse> out) {
    if (request.getRequest().getText().equals(INVALID)) {
      out.onError(invalid());
      return;
    }
    out.onNext(
        GenerateOnceResponse.newBuilder()
            .setResult(
                GenerateResult.newBuilder()
                    .addChoices(
                        GeneratedChoice.newBuilder().setText(request.getRequest().getText())))
            .build());
    out.onCompleted();
  }

  @Override
  public void tokenize(TokenizeRequest request, StreamObserver<TokenizeResponse> out) {
    TokenizeResponse.Builder response = TokenizeResponse.newBuilder().setText(request.getText());
    request.getText().chars().forEach(response::addTokenIds);
    out.onNext(response.build());
    out.onCompleted();
  }

  @Override
  public void detokenize(DetokenizeRequest request, StreamObserver<DetokenizeResponse> out) {
    StringBuilder text = new StringBuilder();
    request.getTokenIdsList().forEach(text::appendCodePoint);
    out.onNext(DetokenizeResponse.newBuilder().setText(text.toString()).build());
    out.onCompleted();
  }

  @Override
  public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> out) {
    out.onNext(ListModelsResponse.newBuilder().addModels(Model.newBuilder().setId("m")).build());
    out.onCompleted();
  }
}
