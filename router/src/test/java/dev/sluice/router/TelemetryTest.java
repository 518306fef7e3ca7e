package dev.sluice.router;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.router.testing.Collected;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.router.testing.Fleets;
import dev.sluice.router.testing.Generator;
import dev.sluice.router.testing.KeptSpans;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.Load;
import dev.sluice.v1.Stopping;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.EventData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The trace and the metrics of a request that needed two workers. */
class TelemetryTest {
  private static final Metadata.Key<String> TRACEPARENT =
      Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER);

  @Test
  void oneTraceFromTheClientThroughBothAttempts() {
    KeptSpans kept = new KeptSpans();
    OpenTelemetrySdk sdk =
        OpenTelemetrySdk.builder()
            .setTracerProvider(
                SdkTracerProvider.builder()
                    .addSpanProcessor(SimpleSpanProcessor.create(kept))
                    .build())
            .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
            .build();
    try (FakeWorker failing = FakeWorker.start("failing");
        FakeWorker other = FakeWorker.start("other");
        RouterFixture router =
            RouterFixture.start(RouterFixture.config(failing, other), Telemetry.over(sdk))) {
      twoAttempts(failing, other, router);
      failing.takeHeaders();
      String sent = other.takeHeaders().get(TRACEPARENT);

      SpanData server = kept.await("generate m");
      assertThat(server.getKind()).isEqualTo(SpanKind.SERVER);
      assertThat(server.getTraceId()).isEqualTo("0af7651916cd43dd8448eb211c80319c");
      assertThat(server.getParentSpanId()).isEqualTo("b7ad6b7169203331");
      assertThat(text(server, "gen_ai.operation.name")).isEqualTo("text_completion");
      assertThat(text(server, "gen_ai.request.model")).isEqualTo("m");
      assertThat(number(server, "sluice.attempts")).isEqualTo(2);
      assertThat(number(server, "gen_ai.usage.output_tokens")).isEqualTo(3);
      assertThat(
              server
                  .getAttributes()
                  .get(AttributeKey.stringArrayKey("gen_ai.response.finish_reasons")))
          .containsExactly("stop_eos");
      assertThat(server.getEvents()).isEmpty();

      List<SpanData> attempts = kept.named("worker generate m");
      assertThat(attempts).hasSize(2);
      assertThat(attempts)
          .allSatisfy(span -> {
            assertThat(span.getKind()).isEqualTo(SpanKind.CLIENT);
            assertThat(span.getParentSpanId()).isEqualTo(server.getSpanId());
            assertThat(span.getTraceId()).isEqualTo(server.getTraceId());
          });
      assertThat(text(attempts.getFirst(), "error.type")).isEqualTo("UNAVAILABLE");
      assertThat(sent)
          .isEqualTo("00-" + server.getTraceId() + "-" + attempts.getLast().getSpanId() + "-01");
      assertThat(kept.named("route"))
          .hasSize(2)
          .allSatisfy(span -> assertThat(text(span, "policy")).isEqualTo("least-outstanding"));
      // server, admission, 2 decisions, 2 attempts: nothing per token
      assertThat(kept.all()).hasSize(6);
    }
    sdk.close();
  }

  @Test
  void aResumeIsAnEventOfTheTraceAndACount() throws IOException {
    KeptSpans kept = new KeptSpans();
    OpenTelemetrySdk sdk =
        OpenTelemetrySdk.builder()
            .setTracerProvider(
                SdkTracerProvider.builder()
                    .addSpanProcessor(SimpleSpanProcessor.create(kept))
                    .build())
            .build();
    try (FakeWorker a = FakeWorker.resuming("a", "f");
        FakeWorker b = FakeWorker.resuming("b", "f");
        RouterFixture router =
            RouterFixture.start(RouterFixture.config(a, b), Telemetry.over(sdk))) {
      resumed(a, b, router);
      SpanData server = kept.await("generate m");
      assertThat(server.getEvents()).hasSize(1);
      EventData event = server.getEvents().getFirst();
      assertThat(event.getName()).isEqualTo("resume");
      assertThat(event.getAttributes().asMap())
          .containsEntry(AttributeKey.stringKey("sluice.lost_worker"), "a")
          .containsEntry(AttributeKey.stringKey("worker"), "b")
          .containsEntry(AttributeKey.stringKey("reason"), "died")
          .containsEntry(AttributeKey.longKey("sluice.delivered_tokens"), 3L)
          .containsKey(AttributeKey.doubleKey("sluice.interrupted"));
    }
    sdk.close();
    try (FakeWorker a = FakeWorker.resuming("a", "f");
        FakeWorker b = FakeWorker.resuming("b", "f")) {
      RouterConfig config = RouterFixture.config(a, b);
      Telemetry telemetry = Telemetry.start("sluice-router", config.telemetry());
      try (RouterFixture router = RouterFixture.start(config, telemetry)) {
        resumed(a, b, router);
        ByteArrayOutputStream page = new ByteArrayOutputStream();
        telemetry.writeMetrics("text/plain", page);
        assertThat(page.toString(StandardCharsets.UTF_8).lines())
            .anyMatch(line ->
                line.startsWith("sluice_resumes_total{")
                    && line.contains("reason=\"died\"")
                    && line.endsWith(" 1.0"))
            .anyMatch(line ->
                line.startsWith("sluice_attempts_total{") && line.contains("outcome=\"lost\""));
      }
    }
  }

  /** A stream that lost its worker after four messages. */
  private static void resumed(FakeWorker a, FakeWorker b, RouterFixture router) {
    Fleets.awaitReady(router.fleet(), 2);
    b.watchers().tell(Load.newBuilder().setRunningRequests(50).build());
    Fleets.await(
        router.fleet(), s -> s.workers().stream().anyMatch(w -> w.foreignRequests() == 50));
    a.script(
        Generator.breaking("a", 4, client -> client.onError(Status.INTERNAL.asRuntimeException())));
    GenerateRequest request =
        RouterFixture.prompt("m").toBuilder()
            .setStopping(Stopping.newBuilder().setMaxTokens(6))
            .build();
    assertThat(router.generate(request).status().isOk()).isTrue();
  }

  @Test
  void countsWhatHappened() throws IOException {
    try (FakeWorker failing = FakeWorker.start("failing");
        FakeWorker other = FakeWorker.start("other")) {
      RouterConfig config = RouterFixture.config(failing, other);
      Telemetry telemetry = Telemetry.start("sluice-router", config.telemetry());
      try (RouterFixture router = RouterFixture.start(config, telemetry)) {
        twoAttempts(failing, other, router);
        ByteArrayOutputStream page = new ByteArrayOutputStream();
        String type = telemetry.writeMetrics("text/plain", page);
        assertThat(type).contains("text/plain");
        String metrics = page.toString(StandardCharsets.UTF_8);
        assertThat(metrics)
            .contains("sluice_requests_total{method=\"Generate\"")
            .contains("status=\"OK\"")
            .contains("outcome=\"failed\"")
            .contains("outcome=\"answered\"")
            .contains("sluice_routing_decisions_total{")
            .contains("gen_ai_server_time_to_first_token_seconds_bucket{")
            .contains("gen_ai_server_request_duration_seconds_count{")
            .contains("sluice_workers{")
            .contains("sluice_requests_in_flight{");
        assertThat(metrics.lines())
            .anyMatch(line ->
                line.startsWith("sluice_workers{")
                    && line.contains("ready")
                    && line.endsWith(" 2.0"));
      }
    }
  }

  private static void twoAttempts(FakeWorker failing, FakeWorker other, RouterFixture router) {
    Fleets.awaitReady(router.fleet(), 2);
    other.watchers().tell(Load.newBuilder().setRunningRequests(50).build());
    Fleets.await(
        router.fleet(), s -> s.workers().stream().anyMatch(w -> w.foreignRequests() == 50));
    failing.script((_, client) -> client.onError(Status.UNAVAILABLE.asRuntimeException()));

    Metadata headers = new Metadata();
    headers.put(TRACEPARENT, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    ClientCall<GenerateRequest, GenerateResponse> call =
        router
            .channel()
            .newCall(GenerationServiceGrpc.getGenerateMethod(), io.grpc.CallOptions.DEFAULT);
    Collected<GenerateResponse> answer =
        Collected.start(call, headers, RouterFixture.prompt("m"), Integer.MAX_VALUE);
    assertThat(answer.status().isOk()).isTrue();
  }

  private static String text(SpanData span, String name) {
    return String.valueOf(span.getAttributes().get(AttributeKey.stringKey(name)));
  }

  private static long number(SpanData span, String name) {
    Long value = span.getAttributes().get(AttributeKey.longKey(name));
    return value == null ? -1 : value;
  }
}
