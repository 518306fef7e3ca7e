package dev.sluice.worker.service;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.common.telemetry.GenAi;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import dev.sluice.worker.engine.EngineConfig;
import dev.sluice.worker.engine.ModelRunner;
import dev.sluice.worker.runner.SimulatedModelRunner;
import dev.sluice.worker.simulation.ByteTokenizer;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.EventData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A request's trace says where its time went. */
@Timeout(60)
final class RequestTraceTest {
  private static final AttributeKey<Long> PREEMPTIONS = AttributeKey.longKey("sluice.preemptions");

  @Test
  void queuePrefillAndDecodeFollowEachOtherBelowTheCall() throws Exception {
    Collector collector = new Collector(4);
    List<GenerateResponse> stream;
    try (OpenTelemetrySdk sdk = sdk(collector);
        WorkerFixture worker =
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
      collector.await();
    }
    SpanData call = collector.span("generate sim");
    assertThat(call.getKind()).isEqualTo(SpanKind.SERVER);
    assertThat(call.getAttributes().get(GenAi.OUTPUT_TOKENS)).isEqualTo(7);
    assertThat(call.getAttributes().get(GenAi.FINISH_REASONS)).containsExactly("length");
    SpanData queue = collector.span("queue");
    SpanData prefill = collector.span("prefill");
    SpanData decode = collector.span("decode");
    for (SpanData phase : List.of(queue, prefill, decode)) {
      assertThat(phase.getParentSpanId()).isEqualTo(call.getSpanId());
      assertThat(phase.getTraceId()).isEqualTo(call.getTraceId());
    }
    assertThat(prefill.getStartEpochNanos()).isEqualTo(queue.getEndEpochNanos());
    assertThat(decode.getStartEpochNanos()).isEqualTo(prefill.getEndEpochNanos());
    assertThat(names(prefill)).containsExactly("prefill chunk");
    assertThat(names(decode)).containsExactly("first token"); // never one per token
    var timings = stream.getLast().getFinished().getTimings();
    assertThat(duration(queue)).isEqualTo(timings.getQueueNanos());
    assertThat(duration(queue) + duration(prefill) + duration(decode))
        .isEqualTo(timings.getE2ENanos());
  }

  @Test
  void chunksAndPreemptionsAreEventsOfThePhaseThatTheyFellInto() throws Exception {
    Collector collector = new Collector(8);
    // 96 tokens in the cache, and two requests that come to 45 + 40 each
    ModelRunner.Geometry tight = new ModelRunner.Geometry(ByteTokenizer.SIZE, 128, 4, 24, 16, 4);
    try (OpenTelemetrySdk sdk = sdk(collector);
        WorkerFixture worker =
            new WorkerFixture(
                new SimulatedModelRunner(tight, SimulatedModelRunner.StepHook.NONE),
                EngineConfig.defaults(),
                Telemetry.over(sdk))) {
      List<Thread> callers = new ArrayList<>();
      worker.serve();
      for (String letter : List.of("a", "b")) {
        GenerateRequest request =
            GenerateRequest.newBuilder()
                .setText(letter.repeat(45))
                .setSampling(Sampling.newBuilder().setTemperature(0))
                .setStopping(Stopping.newBuilder().setMaxTokens(40).setIgnoreEos(true))
                .build();
        callers.add(Thread.ofVirtual().start(() -> worker.generate(request)));
      }
      for (Thread caller : callers) {
        caller.join();
      }
      collector.await();
    }
    List<SpanData> prefills = collector.all("prefill");
    assertThat(prefills).hasSize(2);
    assertThat(prefills)
        .allSatisfy(prefill ->
            assertThat(
                    prefill.getEvents().stream()
                        .filter(event -> event.getName().equals("prefill chunk"))
                        .mapToLong(event -> number(event, "sluice.prefill.tokens"))
                        .sum())
                .isGreaterThanOrEqualTo(45));
    List<String> all =
        collector.spans.stream().flatMap(span -> names(span).stream()).toList();
    assertThat(all).contains("preempted", "resumed");
    long preemptions =
        collector.all("generate sim").stream()
            .mapToLong(call -> requireNonNull(call.getAttributes().get(PREEMPTIONS)))
            .sum();
    assertThat(all.stream().filter("preempted"::equals).count()).isEqualTo(preemptions);
    assertThat(all.stream().filter("resumed"::equals).count()).isEqualTo(preemptions);
  }

  private static long number(EventData event, String attribute) {
    return requireNonNull(event.getAttributes().get(AttributeKey.longKey(attribute)));
  }

  private static List<String> names(SpanData span) {
    return span.getEvents().stream().map(EventData::getName).toList();
  }

  private static OpenTelemetrySdk sdk(Collector collector) {
    return OpenTelemetrySdk.builder()
        .setTracerProvider(
            SdkTracerProvider.builder()
                .addSpanProcessor(SimpleSpanProcessor.create(collector))
                .build())
        .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
        .build();
  }

  private static long duration(SpanData span) {
    return span.getEndEpochNanos() - span.getStartEpochNanos();
  }

  /** Keeps spans. */
  private static final class Collector implements SpanExporter {
    private final List<SpanData> spans = new CopyOnWriteArrayList<>();
    private final CountDownLatch missing;

    Collector(int expected) {
      missing = new CountDownLatch(expected);
    }

    void await() throws InterruptedException {
      assertThat(missing.await(20, TimeUnit.SECONDS)).isTrue();
    }

    List<SpanData> all(String name) {
      return spans.stream().filter(s -> s.getName().equals(name)).toList();
    }

    SpanData span(String name) {
      return spans.stream().filter(s -> s.getName().equals(name)).findFirst().orElseThrow();
    }

    @Override
    public CompletableResultCode export(Collection<SpanData> batch) {
      spans.addAll(batch);
      batch.forEach(_ -> missing.countDown());
      return CompletableResultCode.ofSuccess();
    }

    @Override
    public CompletableResultCode flush() {
      return CompletableResultCode.ofSuccess();
    }

    @Override
    public CompletableResultCode shutdown() {
      return CompletableResultCode.ofSuccess();
    }
  }
}
