package dev.sluice.worker.triton;

import static dev.sluice.worker.triton.TritonFixture.all;
import static dev.sluice.worker.triton.TritonFixture.text;
import static dev.sluice.worker.triton.TritonFixture.textOf;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.v1.Beam;
import dev.sluice.v1.DrainRequest;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import dev.sluice.v1.TokenIds;
import dev.sluice.v1.UndrainRequest;
import dev.sluice.worker.engine.SchedulingPolicy;
import dev.sluice.worker.simulation.ByteTokenizer;
import dev.sluice.worker.triton.TritonFixture.Options;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A worker before a Triton server does for its callers what one with an engine of its own does. */
@Timeout(60)
final class TritonEngineTest {
  @Test
  void streamsTheModelsText() throws Exception {
    try (TritonFixture worker = TritonFixture.ready()) {
      Iterator<GenerateResponse> stream = worker.begin(text("a prompt").build());
      FakeTriton.Call call = worker.triton.next();
      assertThat(call.input("text_input"))
          .isEqualTo(ByteString.copyFrom(new byte[] {8, 0, 0, 0}).concat(utf8("a prompt")));
      call.text("Hello ");
      assertThat(stream.next().hasStarted()).isTrue();
      assertThat(stream.next().getDelta().getText()).isEqualTo("Hello ");
      call.text("world").end();
      List<GenerateResponse> rest = all(stream);
      assertThat(textOf(rest)).isEqualTo("world");
      assertThat(reason(rest)).isEqualTo(FinishReason.FINISH_REASON_STOP_EOS);
      assertThat(rest.getLast().getFinished().getUsage().getOutputTokens()).isEqualTo(2);
    }
  }

  @Test
  void joinsCharactersThatComeInHalves() throws Exception {
    try (TritonFixture worker = TritonFixture.ready()) {
      Iterator<GenerateResponse> stream = worker.begin(text("x").build());
      FakeTriton.Call call = worker.triton.next();
      ByteString face = utf8("\uD83D\uDE00");
      call.text(face.substring(0, 3)).text(face.substring(3)).text(face.substring(0, 1)).end();
      assertThat(textOf(all(stream))).isEqualTo("\uD83D\uDE00\uFFFD");
    }
  }

  @Test
  void endsAtAStopStringAndTellsTriton() throws Exception {
    try (TritonFixture worker = TritonFixture.ready()) {
      Iterator<GenerateResponse> stream =
          worker.begin(text("x").setStopping(Stopping.newBuilder().addStop("lo w")).build());
      FakeTriton.Call call = worker.triton.next();
      call.text("hel").text("lo ").text("world");
      List<GenerateResponse> answer = all(stream);
      assertThat(textOf(answer)).isEqualTo("hel");
      assertThat(reason(answer)).isEqualTo(FinishReason.FINISH_REASON_STOP_STRING);
      call.awaitCancelled();
    }
  }

  @Test
  void countsResponsesWhereTheModelDoesNotLimitItself() throws Exception {
    try (TritonFixture worker = TritonFixture.ready()) {
      Iterator<GenerateResponse> stream =
          worker.begin(text("x").setStopping(Stopping.newBuilder().setMaxTokens(2)).build());
      FakeTriton.Call call = worker.triton.next();
      call.text("a").text("b").text("c");
      List<GenerateResponse> answer = all(stream);
      assertThat(textOf(answer)).isEqualTo("ab");
      assertThat(reason(answer)).isEqualTo(FinishReason.FINISH_REASON_LENGTH);
      call.awaitCancelled();
    }
  }

  @Test
  void countsTokensThatAddNoText() throws Exception {
    Models counting =
        Models.of(
            List.of("text_input BYTES"), List.of("text_output BYTES", "num_output_tokens UINT32"));
    try (TritonFixture worker = TritonFixture.ready(new Options().model(counting))) {
      Iterator<GenerateResponse> stream =
          worker.begin(text("x").setStopping(Stopping.newBuilder().setMaxTokens(5)).build());
      FakeTriton.Call call = worker.triton.next();
      call.text("", 2).text("ab", 2).text("", 1);
      List<GenerateResponse> answer = all(stream);
      assertThat(textOf(answer)).isEqualTo("ab");
      assertThat(reason(answer)).isEqualTo(FinishReason.FINISH_REASON_LENGTH);
      assertThat(answer.getLast().getFinished().getUsage().getOutputTokens()).isEqualTo(5);
      call.awaitCancelled();
    }
  }

  @Test
  void ofAModelThatGivesTextAndIdsTheOtherFormIsNotRead() throws Exception {
    Models both =
        Models.of(List.of("text_input BYTES"), List.of("text_output BYTES", "output_ids INT32"));
    try (TritonFixture worker = TritonFixture.ready(new Options().model(both))) {
      Iterator<GenerateResponse> stream = worker.begin(text("x").build());
      worker.triton.next().textAndIds("ab", 1, 2, 3).end();
      List<GenerateResponse> answer = all(stream);
      assertThat(textOf(answer)).isEqualTo("ab");
      assertThat(answer.getLast().getFinished().getUsage().getOutputTokens()).isEqualTo(1);
    }
    Models ids =
        Models.of(
            List.of("input_ids INT32"),
            List.of("output_ids INT32", "text_output BYTES", "num_output_tokens UINT32"));
    try (TritonFixture worker =
        TritonFixture.ready(new Options().model(ids).ids(ByteTokenizer.bundle()))) {
      Iterator<GenerateResponse> stream = worker.begin(text("x").build());
      worker.triton.next().textAndIds("ab", 'a', 'b').end();
      List<GenerateResponse> answer = all(stream);
      assertThat(textOf(answer)).isEqualTo("ab");
      assertThat(answer.getLast().getFinished().getUsage().getOutputTokens()).isEqualTo(2);
    }
  }

  @Test
  void anOutputOfTheOtherFormMayBeOfAnyType() throws Exception {
    Models odd =
        Models.of(List.of("text_input BYTES"), List.of("text_output BYTES", "output_ids FP32"));
    try (TritonFixture worker = new TritonFixture(new Options().model(odd))) {
      worker.engine.start();
      worker.await(ServingStatus.SERVING);
    }
  }

  @Test
  void sendsWhatTheModelHasInputsFor() throws Exception {
    try (TritonFixture worker = TritonFixture.ready(new Options().model(Models.SAMPLING))) {
      Iterator<GenerateResponse> stream =
          worker.begin(
              text("x")
                  .setSampling(Sampling.newBuilder().setTemperature(0.5f).setTopK(7).setSeed(-1))
                  .setStopping(Stopping.newBuilder().setMaxTokens(3))
                  .build());
      FakeTriton.Call call = worker.triton.next();
      assertThat(call.input("max_tokens")).isEqualTo(TensorType.INT32.integer(3));
      assertThat(call.input("temperature")).isEqualTo(TensorType.FP32.element(0.5));
      assertThat(call.input("top_k")).isEqualTo(TensorType.INT32.integer(7));
      assertThat(call.input("random_seed")).isEqualTo(TensorType.UINT64.integer(-1));
      assertThat(call.input("stream")).isEqualTo(TensorType.BOOL.integer(1));
      call.text("1").text("2").text("3").text("4").end(); // the model counts otherwise
      assertThat(textOf(all(stream))).isEqualTo("1234");
    }
  }

  @Test
  void refusesWhatTheModelHasNoInputFor() throws Exception {
    try (TritonFixture worker = TritonFixture.ready()) {
      GenerateRequest.Builder request = text("x");
      assertUnimplemented(
          worker,
          request.clone().setSampling(Sampling.newBuilder().setTemperature(0)),
          "sampling.temperature: 0.0 (expected: 1.0 or not set; the Triton model llm has no input");
      assertUnimplemented(worker, request.clone().setN(2), "n: set");
      assertUnimplemented(worker, request.clone().setBeam(Beam.newBuilder().setWidth(2)), "beam");
      assertUnimplemented(
          worker,
          GenerateRequest.newBuilder().setTokenIds(TokenIds.newBuilder().addIds(1)),
          "token_ids: set (expected: text");
      assertThat(worker.triton.hasNone()).isTrue();
    }
  }

  @Test
  void tokensGoInAndOutOfAModelThatTakesThem() throws Exception {
    try (TritonFixture worker =
        TritonFixture.ready(new Options().model(Models.IDS).ids(ByteTokenizer.bundle()))) {
      Iterator<GenerateResponse> stream = worker.begin(text("hi").build());
      FakeTriton.Call call = worker.triton.next();
      assertThat(call.input("input_ids"))
          .isEqualTo(TensorType.INT32.integers(new int[] {104, 105}));
      assertThat(call.input("input_lengths")).isEqualTo(TensorType.INT32.integer(2));
      assertThat(call.input("request_output_len")).isEqualTo(TensorType.INT32.integer(254));
      call.ids('y', 'e').ids('s', ByteTokenizer.EOS, 'x');
      List<GenerateResponse> answer = all(stream);
      assertThat(textOf(answer)).isEqualTo("yes");
      assertThat(reason(answer)).isEqualTo(FinishReason.FINISH_REASON_STOP_EOS);
      assertThat(answer.getLast().getFinished().getUsage().getPromptTokens()).isEqualTo(2);
      assertThat(answer.getLast().getFinished().getUsage().getOutputTokens()).isEqualTo(4);
      call.awaitCancelled();
    }
  }

  @Test
  void aCallerThatHangsUpEndsTheWorkAtTriton() throws Exception {
    try (TritonFixture worker = TritonFixture.ready()) {
      Context.CancellableContext caller = Context.current().withCancellation();
      Context before = caller.attach();
      try {
        Iterator<GenerateResponse> stream = worker.begin(text("x").build());
        FakeTriton.Call call = worker.triton.next();
        call.text("a");
        assertThat(stream.next().hasStarted()).isTrue();
        caller.cancel(null);
        call.awaitCancelled();
      } finally {
        caller.detach(before);
        caller.close();
      }
    }
  }

  @Test
  void aDeadlineEndsTheWorkAtTriton() throws Exception {
    try (TritonFixture worker = TritonFixture.ready()) {
      Iterator<GenerateResponse> stream =
          worker
              .generation()
              .withDeadlineAfter(300, TimeUnit.MILLISECONDS)
              .generate(text("x").build());
      worker.triton.next().awaitCancelled();
      assertThat(failure(stream).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    }
  }

  @Test
  void whatFindsNoPlaceWaitsAndGoesInFairOrder() throws Exception {
    try (TritonFixture worker = TritonFixture.ready(new Options().places(1).maxWaiting(2))) {
      Iterator<GenerateResponse> first = worker.begin(text("1").setTenant("a").build());
      FakeTriton.Call running = worker.triton.next();
      Iterator<GenerateResponse> second = worker.begin(text("2").setTenant("a").build());
      awaitWaiting(worker, 1);
      Iterator<GenerateResponse> urgent =
          worker.begin(text("3").setTenant("b").setPriority(10).build());
      awaitWaiting(worker, 2);
      assertThat(failure(worker.begin(text("4").build())))
          .satisfies(refused -> {
            assertThat(refused.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
            assertThat(refused.getDescription()).startsWith("2 requests with 2 prompt tokens wait");
          });
      assertThat(worker.triton.hasNone()).isTrue();
      running.text("one").end();
      assertThat(textOf(all(first))).isEqualTo("one");
      worker.triton.next().text("three").end();
      assertThat(textOf(all(urgent))).isEqualTo("three");
      worker.triton.next().text("two").end();
      assertThat(textOf(all(second))).isEqualTo("two");
    }
  }

  @Test
  void firstComeFirstServedCountsAllThatWaitAsAhead() throws Exception {
    AtomicLong now = new AtomicLong();
    try (TritonFixture worker =
        TritonFixture.ready(
            new Options().places(1).policy(SchedulingPolicy.FCFS).clock(now::get))) {
      Iterator<GenerateResponse> measured = worker.begin(text("1").build());
      FakeTriton.Call call = worker.triton.next();
      now.addAndGet(TimeUnit.SECONDS.toNanos(1));
      call.text("one").end();
      all(measured); // each takes 1 s from now on, as far as the engine knows

      Iterator<GenerateResponse> running = worker.begin(text("2").setTenant("a").build());
      FakeTriton.Call second = worker.triton.next();
      Iterator<GenerateResponse> waiting = worker.begin(text("3").setTenant("a").build());
      awaitWaiting(worker, 1);
      Status refused =
          failure(
              worker.begin(
                  text("4")
                      .setTenant("b")
                      .setPriority(10)
                      .setTtftTarget(Duration.newBuilder().setSeconds(2).setNanos(500_000_000))
                      .build()));
      assertThat(refused.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      assertThat(refused.getDescription())
          .isEqualTo("predicted time to first token: 3000 ms (expected: at most 2500 ms)");
      second.text("two").end();
      assertThat(textOf(all(running))).isEqualTo("two");
      worker.triton.next().text("three").end();
      assertThat(textOf(all(waiting))).isEqualTo("three");
    }
  }

  @Test
  void aServerThatDiesFailsWhatItHadAndIsFoundAgain() throws Exception {
    try (TritonFixture worker = TritonFixture.ready(new Options().places(1))) {
      Iterator<GenerateResponse> running = worker.begin(text("1").build());
      worker.triton.next().text("a");
      assertThat(running.next().hasStarted()).isTrue();
      Iterator<GenerateResponse> waiting = worker.begin(text("2").build());
      awaitWaiting(worker, 1);
      worker.triton.kill();
      for (Iterator<GenerateResponse> stream : List.of(running, waiting)) {
        Status failure = failure(stream);
        assertThat(failure.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(failure.getDescription()).contains("Triton at " + worker.triton.target());
      }
      worker.await(ServingStatus.NOT_SERVING);
      assertThat(failure(worker.begin(text("3").build())).getDescription())
          .contains("Triton at " + worker.triton.target() + " cannot be reached");
      worker.triton.restart();
      worker.await(ServingStatus.SERVING);
      Iterator<GenerateResponse> again = worker.begin(text("4").build());
      worker.triton.next().text("back").end();
      assertThat(textOf(all(again))).isEqualTo("back");
    }
  }

  @Test
  void aModelThatIsNotAsConfiguredIsNotUsedUntilItIs() throws Exception {
    Models other = Models.of(List.of("prompt BYTES"), List.of("text_output INT32"));
    try (TritonFixture worker = new TritonFixture(new Options().model(other))) {
      worker.engine.start();
      String message = failure(worker.begin(text("x").build())).getDescription();
      while (requireNonNull(message).contains("was not asked yet")) {
        message = failure(worker.begin(text("x").build())).getDescription();
      }
      assertThat(message)
          .contains(
              "model llm: no input text_input for text (expected: one of prompt BYTES[-1];",
              "output text_output INT32[-1] for text (expected: BYTES)",
              "the model requires input prompt BYTES[-1], which no field is sent to");
      worker.triton.become(Models.PLAIN.metadata(), Models.PLAIN.config());
      worker.await(ServingStatus.SERVING);
    }
  }

  @Test
  void errorsOfTheModelAreTold() throws Exception {
    try (TritonFixture worker = TritonFixture.ready()) {
      Iterator<GenerateResponse> stream = worker.begin(text("x").build());
      worker.triton.next().fail(Status.INTERNAL.withDescription("CUDA out of memory"));
      Status failure = failure(stream);
      assertThat(failure.getCode()).isEqualTo(Status.Code.INTERNAL);
      assertThat(failure.getDescription()).contains("model llm of Triton", "CUDA out of memory");
    }
  }

  @Test
  void drainsAndTakesRequestsAgain() throws Exception {
    try (TritonFixture worker = TritonFixture.ready()) {
      Iterator<GenerateResponse> running = worker.begin(text("1").build());
      FakeTriton.Call call = worker.triton.next();
      assertThat(
              worker
                  .worker()
                  .drain(
                      DrainRequest.newBuilder()
                          .setGrace(Duration.newBuilder().setSeconds(20))
                          .build())
                  .getRemainingRequests())
          .isEqualTo(1);
      assertThat(failure(worker.begin(text("2").build())).getCode())
          .isEqualTo(Status.Code.UNAVAILABLE);
      call.text("whole").end();
      assertThat(textOf(all(running))).isEqualTo("whole");
      worker.worker().undrain(UndrainRequest.getDefaultInstance());

      Iterator<GenerateResponse> cut = worker.begin(text("3").build());
      FakeTriton.Call late = worker.triton.next();
      worker
          .worker()
          .drain(DrainRequest.newBuilder().setGrace(Duration.getDefaultInstance()).build());
      assertThat(failure(cut).getDescription()).contains("the worker ended before the request did");
      late.awaitCancelled();
    }
  }

  @Test
  void theTraceGoesOnToTriton() throws Exception {
    try (OpenTelemetrySdk sdk =
            OpenTelemetrySdk.builder()
                .setTracerProvider(SdkTracerProvider.builder().build())
                .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
                .build();
        TritonFixture worker = TritonFixture.ready(new Options().telemetry(Telemetry.over(sdk)))) {
      Iterator<GenerateResponse> stream = worker.begin(text("x").build());
      worker.triton.next().text("a").end();
      all(stream);
      assertThat(worker.triton.traces).hasSize(1); // probes are not traced
    }
  }

  private static void awaitWaiting(TritonFixture worker, int requests) {
    while (worker.engine.snapshot().waitingRequests() < requests) {
      Thread.onSpinWait();
    }
  }

  private static void assertUnimplemented(
      TritonFixture worker, GenerateRequest.Builder request, String message) {
    assertThatThrownBy(() -> worker.begin(request.build()).next())
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> {
              assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNIMPLEMENTED);
              assertThat(e.getStatus().getDescription()).contains(message);
            });
  }

  /** How a stream fails, after whatever it has brought. */
  private static Status failure(Iterator<GenerateResponse> stream) {
    try {
      all(stream);
    } catch (StatusRuntimeException e) {
      return e.getStatus();
    }
    throw new AssertionError("the stream did not fail");
  }

  private static FinishReason reason(List<GenerateResponse> responses) {
    return responses.stream()
        .filter(GenerateResponse::hasChoiceFinished)
        .findFirst()
        .orElseThrow()
        .getChoiceFinished()
        .getReason();
  }

  private static ByteString utf8(String text) {
    return ByteString.copyFrom(text, StandardCharsets.UTF_8);
  }
}
