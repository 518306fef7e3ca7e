package dev.sluice.worker.service;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.sluice.worker.engine.GenerationTask;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.prometheus.PrometheusMetricReader;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What measuring costs the engine's thread, with all that can be switched on. */
@Tag("own-jvm")
class MetricsAllocationTest {
  private static final int STEPS = 10_000;
  private static final int ROUNDS = 50;

  @Test
  void nothingIsAllocatedPerTokenOrStepThoughEachHasAnExemplar() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (SdkMeterProvider meters =
            SdkMeterProvider.builder()
                .registerMetricReader(PrometheusMetricReader.builder().build())
                .build();
        SdkTracerProvider traces = SdkTracerProvider.builder().build()) {
      WorkerMetrics metrics = new WorkerMetrics(meters.get("test"), "model");
      Span span = traces.get("test").spanBuilder("generate").startSpan();
      GenerationTask task =
          GenerationTask.builder("r", 1, 2, 3).trace(Context.root().with(span)).build();
      long least = Long.MAX_VALUE;
      for (int round = 0; round < ROUNDS && least > 0; round++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < STEPS; i++) {
          metrics.onScheduled(task, i);
          metrics.onFirstToken(task, 1_000L * i);
          metrics.onNextToken(task, 100_000L * (i % 100));
          metrics.onStep(1_000L * i, 8, 0, 8);
          metrics.onPreempted();
        }
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      }
      span.end();
      assertThat(least).isLessThan(STEPS); // bytes; below one for a step
    }
  }
}
