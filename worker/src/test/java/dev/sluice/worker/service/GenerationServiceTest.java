package dev.sluice.worker.service;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.ResourceInfo;
import com.google.rpc.RetryInfo;
import dev.sluice.common.error.Statuses;
import dev.sluice.v1.ChatMessage;
import dev.sluice.v1.ChatMessages;
import dev.sluice.v1.DetokenizeRequest;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.GenerateOnceRequest;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerateResponse.EventCase;
import dev.sluice.v1.GenerateResult;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.ListModelsRequest;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import dev.sluice.v1.Timings;
import dev.sluice.v1.TokenIds;
import dev.sluice.v1.TokenizeRequest;
import dev.sluice.v1.TokenizeResponse;
import dev.sluice.v1.Usage;
import dev.sluice.worker.engine.EngineConfig;
import dev.sluice.worker.engine.GenerationTask;
import dev.sluice.worker.engine.ModelRunner;
import dev.sluice.worker.engine.StepBatch;
import dev.sluice.worker.simulation.ByteTokenizer;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The worker's generation service over a real socket, with a simulated model. */
@Timeout(60)
final class GenerationServiceTest {
  @Test
  void aTargetThatCannotBeMetIsRefusedAtOnce() throws Exception {
    try (WorkerFixture worker = WorkerFixture.serving()) {
      worker.generate(greedy("so that it knows what a prompt costs", 1).setPriority(7).build());
      StatusRuntimeException e =
          failure(
              worker,
              greedy("a", 1)
                  .setTtftTarget(com.google.protobuf.Duration.newBuilder().setNanos(1))
                  .build());
      assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      assertThat(e.getStatus().getDescription()).startsWith("predicted time to first token");
      assertThat(requireNonNull(e.getTrailers()).keys()).contains("grpc-retry-pushback-ms");
    }
  }

  @Test
  void streamIsCompleteOrderedAndTimed() throws Exception {
    try (WorkerFixture worker = WorkerFixture.serving()) {
      List<GenerateResponse> stream = worker.generate(greedy("hello", 40).build());

      for (int i = 0; i < stream.size(); i++) {
        assertThat(stream.get(i).getSequence()).isEqualTo(i + 1);
      }
      assertThat(stream.get(0).getEventCase()).isEqualTo(EventCase.STARTED);
      assertThat(stream.get(1).getEventCase()).isEqualTo(EventCase.DELTA);
      assertThat(stream.get(stream.size() - 2).getEventCase()).isEqualTo(EventCase.CHOICE_FINISHED);
      assertThat(stream.getLast().getEventCase()).isEqualTo(EventCase.FINISHED);
      assertThat(stream.get(0).getStarted().getPromptTokens()).isEqualTo(5);
      assertThat(stream.get(0).getStarted().getWorkerId()).isEqualTo("w1");

      List<Integer> tokens = tokens(stream);
      assertThat(tokens).hasSize(40);
      assertThat(text(stream)).isEqualTo(detokenize(worker, tokens));
      Usage usage = stream.getLast().getFinished().getUsage();
      assertThat(usage.getPromptTokens()).isEqualTo(5);
      assertThat(usage.getOutputTokens()).isEqualTo(40);
      Timings t = stream.getLast().getFinished().getTimings();
      assertThat(t.getQueueNanos() + t.getPrefillNanos()).isBetween(1L, t.getTtftNanos());
      assertThat(t.getTtftNanos() + t.getDecodeNanos()).isLessThanOrEqualTo(t.getE2ENanos());
      assertThat(t.getItlMeanNanos()).isBetween(1L, t.getItlMaxNanos());
      assertThat(t.getAttempts()).isEqualTo(1);
    }
  }

  @Test
  void resultOfOneMessageIsTheStreamGathered() throws Exception {
    try (WorkerFixture worker = WorkerFixture.serving()) {
      GenerateRequest request = greedy("once", 30).build();
      List<GenerateResponse> stream = worker.generate(request);
      GenerateResult result =
          worker
              .generation()
              .generateOnce(GenerateOnceRequest.newBuilder().setRequest(request).build())
              .getResult();
      assertThat(result.getChoices(0).getTokenIdsList()).isEqualTo(tokens(stream));
      assertThat(result.getChoices(0).getText()).isEqualTo(text(stream));
      assertThat(result.getChoices(0).getFinished().getReason())
          .isEqualTo(FinishReason.FINISH_REASON_LENGTH);
      assertThat(result.getFinished().getUsage().getOutputTokens()).isEqualTo(30);
    }
  }

  @Test
  void seedDecidesTheTokens() throws Exception {
    try (WorkerFixture worker = WorkerFixture.serving()) {
      GenerateRequest seeded = sampled("dice", 7).build();
      List<GenerateResponse> first = worker.generate(seeded);
      assertThat(tokens(worker.generate(seeded))).isEqualTo(tokens(first));
      assertThat(tokens(worker.generate(sampled("dice", 8).build()))).isNotEqualTo(tokens(first));

      GenerateRequest unseeded =
          seeded.toBuilder().setSampling(Sampling.getDefaultInstance()).build();
      List<GenerateResponse> free = worker.generate(unseeded);
      long reported = free.get(0).getStarted().getSeed();
      GenerateRequest again =
          seeded.toBuilder().setSampling(Sampling.newBuilder().setSeed(reported)).build();
      assertThat(tokens(worker.generate(again))).isEqualTo(tokens(free));
    }
  }

  @Test
  void stopStringEndsTheTextAcrossTokenBorders() throws Exception {
    try (WorkerFixture worker = WorkerFixture.serving()) {
      List<GenerateResponse> whole = worker.generate(greedy("stop", 200).build());
      List<Integer> ids = tokens(whole);
      int pair = 10;
      while (!printable(ids.get(pair)) || !printable(ids.get(pair + 1))) {
        pair++;
      }
      String stop = "" + (char) (int) ids.get(pair) + (char) (int) ids.get(pair + 1);
      String text = text(whole);
      int at = text.indexOf(stop);
      GenerateRequest.Builder stopped = greedy("stop", 200);
      stopped.getStoppingBuilder().addStop(stop);

      List<GenerateResponse> stream = worker.generate(stopped.build());
      assertThat(text(stream)).isEqualTo(text.substring(0, at));
      assertThat(tokens(stream)).isEqualTo(ids.subList(0, pair + 2));
      GenerateResponse finish = stream.get(stream.size() - 2);
      assertThat(finish.getChoiceFinished().getReason())
          .isEqualTo(FinishReason.FINISH_REASON_STOP_STRING);
      assertThat(finish.getChoiceFinished().getStop()).isEqualTo(stop);
      assertThat(stream.getLast().getFinished().getUsage().getOutputTokens()).isEqualTo(pair + 2);

      stopped.getStoppingBuilder().setIncludeStop(true);
      assertThat(text(worker.generate(stopped.build()))).isEqualTo(text.substring(0, at + 2));
    }
  }

  @Test
  void stopTokenIsDeliveredWithoutItsText() throws Exception {
    try (WorkerFixture worker = WorkerFixture.serving()) {
      List<Integer> whole = tokens(worker.generate(greedy("token", 40).build()));
      int stop = whole.get(10);
      int at = whole.indexOf(stop);
      GenerateRequest.Builder request = greedy("token", 40);
      request.getStoppingBuilder().addStopTokenIds(stop);
      List<GenerateResponse> stream = worker.generate(request.build());
      assertThat(tokens(stream)).isEqualTo(whole.subList(0, at + 1));
      assertThat(text(stream)).isEqualTo(detokenize(worker, whole.subList(0, at)));
      assertThat(stream.get(stream.size() - 2).getChoiceFinished().getStopTokenId())
          .isEqualTo(stop);
    }
  }

  @Test
  void chatIsRenderedByTheTemplate() throws Exception {
    try (WorkerFixture worker = WorkerFixture.serving()) {
      ChatMessages chat =
          ChatMessages.newBuilder()
              .addMessages(ChatMessage.newBuilder().setRole("user").setContent("hi"))
              .build();
      TokenizeResponse tokenized =
          worker.generation().tokenize(TokenizeRequest.newBuilder().setChat(chat).build());
      assertThat(tokenized.getText()).isEqualTo("[user]hi\n[assistant]");
      GenerateRequest request = greedy("", 5).setChat(chat).build();
      GenerateRequest same =
          greedy("", 5)
              .setTokenIds(TokenIds.newBuilder().addAllIds(tokenized.getTokenIdsList()))
              .build();
      assertThat(tokens(worker.generate(request))).isEqualTo(tokens(worker.generate(same)));
    }
  }

  @Test
  void modelsAreListedUnderTheirIdAndAliases() throws Exception {
    try (WorkerFixture worker = WorkerFixture.serving()) {
      assertThat(
              worker.generation().listModels(ListModelsRequest.getDefaultInstance()).getModels(0))
          .satisfies(m -> assertThat(m.getId()).isEqualTo("sim"));
      assertThat(worker.generate(greedy("a", 1).setModel("default").build())).isNotEmpty();
      StatusRuntimeException e = failure(worker, greedy("a", 1).setModel("gpt-9").build());
      assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
      assertThat(detail(e, ResourceInfo.class).getResourceName()).isEqualTo("gpt-9");
    }
  }

  @Test
  void everyViolationComesInOneBadRequest() throws Exception {
    try (WorkerFixture worker = WorkerFixture.serving()) {
      StatusRuntimeException e =
          failure(
              worker,
              GenerateRequest.newBuilder()
                  .setSampling(Sampling.newBuilder().setTemperature(-1).setTopP(2))
                  .build());
      assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
      assertThat(e.getStatus().getDescription())
          .contains("sampling.temperature: -1 (expected: 0 to 2)");
      assertThat(detail(e, BadRequest.class).getFieldViolationsList())
          .extracting(BadRequest.FieldViolation::getField)
          .containsExactlyInAnyOrder("prompt", "sampling.temperature", "sampling.top_p");
    }
  }

  @Test
  void promptBeyondTheContextIsRefusedWithTheNumbers() throws Exception {
    try (WorkerFixture worker = WorkerFixture.serving()) {
      StatusRuntimeException e = failure(worker, greedy("x".repeat(512), 1).build());
      assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
      assertThat(e.getStatus().getDescription()).contains("512 tokens").contains("511");
    }
  }

  @Test
  void requestThatCanNeverFitThePoolIsRefused() throws Exception {
    ModelRunner.Geometry tiny = new ModelRunner.Geometry(ByteTokenizer.SIZE, 512, 4, 10, 64, 8);
    try (WorkerFixture worker = new WorkerFixture(tiny, EngineConfig.defaults(), batch -> {})) {
      worker.serve();
      StatusRuntimeException e = failure(worker, greedy("x".repeat(30), 30).build());
      assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
      assertThat(detail(e, ErrorInfo.class).getReason()).isEqualTo("EXCEEDS_KV_POOL");
      assertThat(worker.generate(greedy("x".repeat(30), 10).build())).isNotEmpty();
    }
  }

  @Test
  void nothingIsServedBeforeTheModelIsLoaded() throws Exception {
    try (WorkerFixture worker =
        new WorkerFixture(WorkerFixture.SMALL, EngineConfig.defaults(), batch -> {})) {
      StatusRuntimeException e = failure(worker, greedy("early", 1).build());
      assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(detail(e, ErrorInfo.class).getReason()).isEqualTo("STARTING");
      worker.serve();
      assertThat(worker.generate(greedy("late", 1).build())).isNotEmpty();
    }
  }

  @Test
  void fullQueueIsRefusedWithARetryDelay() throws Exception {
    CountDownLatch computing = new CountDownLatch(1);
    CountDownLatch open = new CountDownLatch(1);
    EngineConfig one = new EngineConfig(1, 100, 100, Duration.ofSeconds(3), true);
    try (WorkerFixture worker =
        new WorkerFixture(
            WorkerFixture.SMALL,
            one,
            _ -> {
              computing.countDown();
              await(open);
            })) {
      worker.serve();
      CompletableFuture<List<GenerateResponse>> running =
          CompletableFuture.supplyAsync(() -> worker.generate(greedy("a", 1).build()));
      await(computing);
      worker.engine.submit(
          GenerationTask.builder("waiting", 1).maxTokens(1).build(), new Mailbox(() -> {}));

      StatusRuntimeException e = failure(worker, greedy("c", 1).build());
      assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      assertThat(detail(e, ErrorInfo.class).getReason()).isEqualTo("QUEUE_FULL");
      assertThat(detail(e, RetryInfo.class).getRetryDelay().getSeconds()).isEqualTo(3);
      assertThat(trailers(e).get(Statuses.PUSHBACK)).isEqualTo("3000");
      open.countDown();
      assertThat(running.join()).isNotEmpty();
    }
  }

  @Test
  void cancelFreesTheBlocks() throws Exception {
    try (WorkerFixture worker = WorkerFixture.serving()) {
      Iterator<GenerateResponse> stream =
          worker
              .generation()
              .withDeadlineAfter(30, TimeUnit.SECONDS)
              .generate(greedy("cancel me", 400).build());
      assertThat(stream.next().hasStarted()).isTrue();
      worker.channel.shutdownNow();
      awaitIdle(worker);
      assertThat(worker.engine.snapshot().ownedBlocks()).isZero();
    }
  }

  @Test
  void deadlineEndsARunningRequest() throws Exception {
    try (WorkerFixture worker =
        new WorkerFixture(
            WorkerFixture.SMALL, EngineConfig.defaults(), _ -> LockSupport.parkNanos(5_000_000))) {
      worker.serve();
      List<GenerateResponse> received = new ArrayList<>();
      StatusRuntimeException e =
          catchThrowableOfType(
              StatusRuntimeException.class,
              () ->
                  worker
                      .generation()
                      .withDeadlineAfter(300, TimeUnit.MILLISECONDS)
                      .generate(greedy("slow", 400).build())
                      .forEachRemaining(received::add));
      assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
      assertThat(received).isNotEmpty();
      awaitIdle(worker);
      assertThat(worker.engine.snapshot().ownedBlocks()).isZero();
    }
  }

  @Test
  void readerThatStopsReadingIsAborted() throws Exception {
    ModelRunner.Geometry wide =
        new ModelRunner.Geometry(ByteTokenizer.SIZE, 1 << 20, 1024, 1024, 64, 8);
    try (WorkerFixture worker = new WorkerFixture(new Monotone(wide), EngineConfig.defaults())) {
      worker.serve();
      CompletableFuture<StatusRuntimeException> end = new CompletableFuture<>();
      GenerateRequest endless = greedy("flood", 1 << 19).build();
      DeafReader reader = new DeafReader(end);
      ManagedChannel narrow =
          NettyChannelBuilder.forAddress("127.0.0.1", worker.server.port())
              .usePlaintext()
              .flowControlWindow(1 << 16)
              .build();
      GenerationServiceGrpc.newStub(narrow).generate(endless, reader);
      while (worker.engine.snapshot().runningRequests() == 0) {
        Thread.onSpinWait();
      }
      awaitIdle(worker); // the engine is rid of it before anything is read
      reader.read();
      StatusRuntimeException e = end.get(30, TimeUnit.SECONDS);
      assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      assertThat(detail(e, ErrorInfo.class).getReason()).isEqualTo("SLOW_READER");
      assertThat(worker.engine.snapshot().ownedBlocks()).isZero();
      assertThat(worker.generate(greedy("next", 3).build())).isNotEmpty();
      narrow.shutdownNow();
    }
  }

  @Test
  void faultOfTheRuntimeIsToldWithoutDetailsAndHarmsNobodyElse() throws Exception {
    AtomicBoolean broken = new AtomicBoolean();
    try (WorkerFixture worker =
        new WorkerFixture(
            WorkerFixture.SMALL,
            EngineConfig.defaults(),
            _ -> {
              if (broken.get()) {
                throw new IllegalStateException("secret detail");
              }
            })) {
      worker.serve();
      broken.set(true);
      StatusRuntimeException e = failure(worker, greedy("broken", 5).build());
      assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INTERNAL);
      assertThat(e.getStatus().getDescription()).doesNotContain("secret");
      byte[] usage = trailers(e).get(GenerationCall.USAGE);
      assertThat(Usage.parseFrom(usage).getPromptTokens()).isEqualTo(6);
      broken.set(false);
      assertThat(worker.generate(greedy("mended", 5).build())).isNotEmpty();
    }
  }

  /** Says the same letter for ever, fast however long the context is. */
  private record Monotone(ModelRunner.Geometry geometry, MemorySegment logits)
      implements ModelRunner {
    Monotone(ModelRunner.Geometry geometry) {
      long row = geometry.vocabularySize();
      MemorySegment rows =
          Arena.ofAuto().allocate(ValueLayout.JAVA_FLOAT, row * geometry.maxSequences());
      for (int i = 0; i < geometry.maxSequences(); i++) {
        rows.setAtIndex(ValueLayout.JAVA_FLOAT, row * i + 'x', 1);
      }
      this(geometry, rows);
    }

    @Override
    public boolean copiesBlocks() {
      return false;
    }

    @Override
    public void execute(StepBatch batch) {}

    @Override
    public void close() {}
  }

  /** Reads nothing until it is told to. */
  private static final class DeafReader
      implements ClientResponseObserver<GenerateRequest, GenerateResponse> {
    private final CompletableFuture<ClientCallStreamObserver<GenerateRequest>> call =
        new CompletableFuture<>();
    private final CompletableFuture<StatusRuntimeException> end;

    DeafReader(CompletableFuture<StatusRuntimeException> end) {
      this.end = end;
    }

    void read() {
      call.join().request(Integer.MAX_VALUE);
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<GenerateRequest> stream) {
      stream.disableAutoRequestWithInitial(0);
      call.complete(stream);
    }

    @Override
    public void onNext(GenerateResponse response) {}

    @Override
    public void onError(Throwable failure) {
      end.complete((StatusRuntimeException) failure);
    }

    @Override
    public void onCompleted() {
      end.completeExceptionally(new AssertionError("completed"));
    }
  }

  private static void awaitIdle(WorkerFixture worker) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(40);
    while (worker.engine.snapshot().runningRequests() > 0
        || worker.engine.snapshot().waitingRequests() > 0) {
      assertThat(System.nanoTime()).as("the engine did not become idle").isLessThan(end);
      Thread.onSpinWait();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static StatusRuntimeException failure(WorkerFixture worker, GenerateRequest request) {
    return catchThrowableOfType(StatusRuntimeException.class, () -> worker.generate(request));
  }

  private static Metadata trailers(StatusRuntimeException e) {
    Metadata trailers = e.getTrailers();
    assertThat(trailers).isNotNull();
    return trailers == null ? new Metadata() : trailers;
  }

  private static <T extends com.google.protobuf.Message> T detail(
      StatusRuntimeException e, Class<T> type) throws InvalidProtocolBufferException {
    com.google.rpc.Status status = StatusProto.fromThrowable(e);
    assertThat(status).isNotNull();
    if (status != null) {
      for (com.google.protobuf.Any any : status.getDetailsList()) {
        if (any.is(type)) {
          return any.unpack(type);
        }
      }
    }
    throw new AssertionError("no " + type.getSimpleName() + " in " + status);
  }

  private static GenerateRequest.Builder greedy(String prompt, int maxTokens) {
    return GenerateRequest.newBuilder()
        .setText(prompt)
        .setSampling(Sampling.newBuilder().setTemperature(0))
        .setStopping(Stopping.newBuilder().setMaxTokens(maxTokens).setIgnoreEos(true));
  }

  /** Sampled among all tokens; bytes that are no text become U+FFFD. */
  private static GenerateRequest.Builder sampled(String prompt, long seed) {
    return greedy(prompt, 30).setSampling(Sampling.newBuilder().setSeed(seed));
  }

  private static boolean printable(int token) {
    return token > ' ' && token < 127;
  }

  private static List<Integer> tokens(List<GenerateResponse> stream) {
    List<Integer> tokens = new ArrayList<>();
    stream.forEach(r -> tokens.addAll(r.getDelta().getTokenIdsList()));
    return tokens;
  }

  private static String text(List<GenerateResponse> stream) {
    StringBuilder text = new StringBuilder();
    stream.forEach(r -> text.append(r.getDelta().getText()));
    return text.toString();
  }

  private static String detokenize(WorkerFixture worker, List<Integer> tokens) {
    return worker
        .generation()
        .detokenize(
            DetokenizeRequest.newBuilder()
                .addAllTokenIds(tokens)
                .setSkipSpecialTokens(true)
                .build())
        .getText();
  }
}
