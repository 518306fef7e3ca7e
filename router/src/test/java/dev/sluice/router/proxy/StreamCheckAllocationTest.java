package dev.sluice.router.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.router.admission.Toll;
import dev.sluice.router.fleet.Fleet;
import dev.sluice.router.fleet.FleetOptions;
import dev.sluice.router.index.IndexOptions;
import dev.sluice.router.index.PrefixIndex;
import dev.sluice.router.page.RequestLog;
import dev.sluice.router.testing.ManualLoop;
import dev.sluice.v1.Delta;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Started;
import io.grpc.Metadata;
import io.opentelemetry.exporter.prometheus.PrometheusMetricReader;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import java.lang.management.ManagementFactory;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What a token message costs the router beside its bytes, while its call is traced. */
class StreamCheckAllocationTest {
  private static final int MESSAGES = 4_000;
  private static final int ROUNDS = 20;

  /** 4 bytes for the token's id, and what arrays that grow by half leave behind. */
  private static final int BYTES_PER_MESSAGE = 14;

  @Test
  void aTracedMessageAllocatesOnlyRoomForItsTokens() throws Exception {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    byte[] started =
        GenerateResponse.newBuilder()
            .setSequence(1)
            .setStarted(Started.newBuilder().setPromptTokens(3))
            .build()
            .toByteArray();
    byte[][] deltas = new byte[MESSAGES][];
    for (int i = 0; i < MESSAGES; i++) {
      deltas[i] =
          GenerateResponse.newBuilder()
              .setSequence(i + 2L)
              .setDelta(Delta.newBuilder().addTokenIds(i).setText(" word"))
              .build()
              .toByteArray();
    }
    try (OpenTelemetrySdk sdk =
        OpenTelemetrySdk.builder()
            .setMeterProvider(
                SdkMeterProvider.builder()
                    .registerMetricReader(PrometheusMetricReader.builder().build())
                    .build())
            .setTracerProvider(SdkTracerProvider.builder().build())
            .build()) {
      Telemetry telemetry = Telemetry.over(sdk);
      ProxyMetrics metrics =
          new ProxyMetrics(
              telemetry.meter(),
              new Fleet(
                  List.of(),
                  FleetOptions.DEFAULTS,
                  address -> {
                    throw new AssertionError(address);
                  },
                  new ManualLoop(),
                  new Random(1),
                  new PrefixIndex(IndexOptions.DEFAULTS)));
      long least = Long.MAX_VALUE;
      for (int round = 0; round < ROUNDS; round++) {
        CallTelemetry call =
            new CallTelemetry(
                new Tracing(telemetry),
                metrics,
                "Generate",
                "cost",
                new RequestLog(1, Clock.systemUTC(), System::nanoTime).begin("Generate"),
                new Metadata());
        call.received("text_completion", "generate", "r", "model");
        StreamCheck check = new StreamCheck(call, System::nanoTime, 0, Optional.empty(), Toll.FREE);
        check.take(started);
        check.take(deltas[0]);
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 1; i < MESSAGES; i++) {
          check.take(deltas[i]);
        }
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        assertThat(check.progress().outputTokens()).isEqualTo(MESSAGES);
      }
      assertThat(least).isLessThan((long) BYTES_PER_MESSAGE * MESSAGES);
    }
  }
}
