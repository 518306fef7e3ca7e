package dev.sluice.worker.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.common.telemetry.GenAi;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import dev.sluice.worker.engine.EngineConfig;
import dev.sluice.worker.runner.SimulatedModelRunner;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.EventData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A request's trace says where its time went. */
@Timeout(60)
final class RequestTraceTest {
  @Test
  void queuePrefillAndDecodeFollowEachOtherBelowTheCall() throws Exception {
    KeptSpans spans = new KeptSpans(4);
    OpenTelemetrySdk sdk =
        OpenTelemetrySdk.builder()
            .setTracerProvider(
                SdkTracerProvider.builder()
                    .addSpanProcessor(SimpleSpanProcessor.create(spans))
                    .build())
            .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
            .build();
    List<GenerateResponse> stream;
    try (WorkerFixture worker =
        new WorkerFixture(
            new SimulatedModelRunner(WorkerFixture.SMALL, SimulatedModelRunner.StepHook.NONE),
            EngineConfig.defaults(),
            Telemetry.over(sdk))) {
      worker.serve();
      stream =
          worker.generate(
              GenerateRequest.newBuilder()
                  .setText("hello")
                  .setTenant("acme")
                  .setSampling(Sampling.newBuilder().setTemperature(0))
                  .setStopping(Stopping.newBuilder().setMaxTokens(7).setIgnoreEos(true))
                  .build());
      spans.await();
    }
    SpanData call = spans.span("generate sim");
    assertThat(call.getKind()).isEqualTo(SpanKind.SERVER);
    assertThat(call.getAttributes().get(GenAi.OUTPUT_TOKENS)).isEqualTo(7);
    assertThat(call.getAttributes().get(GenAi.FINISH_REASONS)).containsExactly("length");
    SpanData queue = spans.span("queue");
    SpanData prefill = spans.span("prefill");
    SpanData decode = spans.span("decode");
    for (SpanData phase : List.of(queue, prefill, decode)) {
      assertThat(phase.getParentSpanId()).isEqualTo(call.getSpanId());
      assertThat(phase.getTraceId()).isEqualTo(call.getTraceId());
    }
    assertThat(prefill.getStartEpochNanos()).isEqualTo(queue.getEndEpochNanos());
    assertThat(decode.getStartEpochNanos()).isEqualTo(prefill.getEndEpochNanos());
    assertThat(prefill.getEvents()).extracting(EventData::getName).containsExactly("prefill chunk");
    assertThat(decode.getEvents()) // never one per token
        .extracting(EventData::getName)
        .containsExactly("first token");
    var timings = stream.getLast().getFinished().getTimings();
    assertThat(duration(queue)).isEqualTo(timings.getQueueNanos());
    assertThat(duration(queue) + duration(prefill) + duration(decode))
        .isEqualTo(timings.getE2ENanos());
  }

  private static long duration(SpanData span) {
    return span.getEndEpochNanos() - span.getStartEpochNanos();
  }
}
