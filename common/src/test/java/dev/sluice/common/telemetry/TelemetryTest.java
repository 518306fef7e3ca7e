package dev.sluice.common.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.sluice.common.error.ListenException;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TelemetryTest {
  private static final TelemetryConfig ANY_PORT = TelemetryConfig.defaults(0);

  @Test
  void prometheusReadsHistogramsWithTheConventionsBuckets() throws Exception {
    try (Telemetry telemetry = Telemetry.start("worker", ANY_PORT)) {
      Attributes model = Attributes.of(GenAi.REQUEST_MODEL, "smollm2");
      Metrics.TIME_TO_FIRST_TOKEN.on(telemetry.meter()).record(0.07, model);
      Metrics.QUEUE_TIME.on(telemetry.meter()).record(0.0004);
      Metrics.PREEMPTIONS.on(telemetry.meter()).add(3);
      Metrics.CACHE_CONFIG.observe(
          telemetry.meter(),
          gauge -> gauge.record(1, Attributes.of(AttributeKey.stringKey("block_size"), "16")));
      Metrics.RUNNING.observe(telemetry.meter(), gauge -> gauge.record(2, model));
      Metrics.PROMPT_TOKENS.on(telemetry.meter()).add(5, model);
      Metrics.KV_USE.observeDouble(telemetry.meter(), gauge -> gauge.record(0.25, model));

      HttpResponse<String> page = get(telemetry, "/metrics", "");
      assertThat(page.statusCode()).isEqualTo(200);
      assertThat(page.headers().firstValue("content-type").orElse("")).startsWith("text/plain");
      assertThat(page.body().lines())
          .anyMatch(
              line -> line.matches(bucket("gen_ai_server_time_to_first_token_seconds", "0.06", 0)))
          .anyMatch(
              line -> line.matches(bucket("gen_ai_server_time_to_first_token_seconds", "0.08", 1)))
          .anyMatch(line -> line.matches(bucket("sluice_queue_time_seconds", "5.0E-4", 1)))
          .anyMatch(line -> line.matches("sluice_preemptions_total(\\{.*})? 3\\.0"))
          .anyMatch(line -> line.matches("sluice_kv_use\\{.*} 0\\.25"))
          .anyMatch(line ->
              line.matches(
                  "vllm:kv_cache_usage_perc\\{.*gen_ai_request_model=\"smollm2\".*} 0\\.25"))
          .anyMatch(
              line -> line.matches("vllm:num_requests_running\\{.*model_name=\"smollm2\".*} 2\\.0"))
          .anyMatch(
              line -> line.matches("vllm:prompt_tokens_total\\{.*model_name=\"smollm2\".*} 5\\.0"))
          .anyMatch(line ->
              line.matches(
                  "vllm:time_to_first_token_seconds_bucket\\{.*model_name=\"smollm2\".*} 1"))
          .anyMatch(line -> line.matches("vllm:cache_config_info\\{block_size=\"16\"} 1"))
          .anyMatch(
              line -> line.startsWith("target_info{") && line.contains("service_name=\"worker\""));
      assertThat(get(telemetry, "/nothing", "").statusCode()).isEqualTo(404);

      ByteArrayOutputStream out = new ByteArrayOutputStream();
      assertThat(telemetry.writeMetrics("", out)).startsWith("text/plain");
      assertThat(out.toString(StandardCharsets.UTF_8)).contains("sluice_queue_time_seconds_count");
    }
  }

  @Test
  void openMetricsCarriesTheTraceAsExemplar() throws Exception {
    SpanMemory spans = new SpanMemory();
    try (Telemetry telemetry = withMemory(ANY_PORT, Map.of(), spans)) {
      DoubleHistogram histogram = Metrics.TIME_TO_FIRST_TOKEN.on(telemetry.meter());
      Span span = telemetry.tracer().spanBuilder("request").startSpan();
      try (Scope _ = span.makeCurrent()) {
        histogram.record(0.07);
      }
      span.end();
      HttpResponse<String> page =
          get(telemetry, "/metrics", "application/openmetrics-text; version=1.0.0");
      assertThat(page.headers().firstValue("content-type").orElse(""))
          .startsWith("application/openmetrics-text");
      assertThat(page.body()).contains("trace_id=\"" + span.getSpanContext().getTraceId() + "\"");
    }
  }

  @Test
  void aTakenPortIsNamed() {
    try (Telemetry first = Telemetry.start("worker", ANY_PORT)) {
      TelemetryConfig taken = TelemetryConfig.defaults(first.metricsPort());
      assertThatExceptionOfType(ListenException.class)
          .isThrownBy(() -> Telemetry.start("worker", taken))
          .withMessageMatching(
              "metrics: cannot listen on 127\\.0\\.0\\.1:"
                  + first.metricsPort()
                  + ": .*in use.*choose another port.*");
    }
  }

  @Test
  void thePortIsFreeAfterClosing() {
    int port;
    try (Telemetry first = Telemetry.start("worker", ANY_PORT)) {
      port = first.metricsPort();
    }
    try (Telemetry second = Telemetry.start("worker", TelemetryConfig.defaults(port))) {
      assertThat(second.metricsPort()).isEqualTo(port);
    }
  }

  @Test
  void sdkVariablesWorkUnchangedAndResourceIsComplete() {
    SpanMemory spans = new SpanMemory();
    Map<String, String> otel =
        Map.of(
            "otel.service.name", "mine",
            "otel.resource.attributes", "deployment.environment=test,service.instance.id=i-1",
            "otel.metrics.exporter", "prometheus", // must not start a second endpoint
            "otel.traces.sampler", "always_on");
    try (Telemetry telemetry = withMemory(ANY_PORT, otel, spans)) {
      telemetry.tracer().spanBuilder("x").startSpan().end();
    }
    Map<String, Object> resource = spans.only("x").resource();
    assertThat(resource)
        .containsEntry("service.name", "mine")
        .containsEntry("service.instance.id", "i-1")
        .containsEntry("deployment.environment", "test");
    assertThat(String.valueOf(resource.get("service.version"))).matches("\\d+\\.\\d+\\.\\d+.*");
  }

  @Test
  void aCollectorThatDoesNotAnswerHoldsClosingUpOnlyForTheFlushTimeout() throws Exception {
    try (java.net.ServerSocket silent =
        new java.net.ServerSocket(0, 50, java.net.InetAddress.getLoopbackAddress())) {
      Map<String, String> otel =
          Map.of(
              "otel.exporter.otlp.endpoint",
              "http://127.0.0.1:" + silent.getLocalPort(),
              "otel.exporter.otlp.timeout",
              "60000");
      TelemetryConfig config = new TelemetryConfig(true, "127.0.0.1", 0, Duration.ofMillis(300));
      Telemetry telemetry = withMemory(config, otel, new SpanMemory());
      telemetry.tracer().spanBuilder("x").startSpan().end();
      long start = System.nanoTime();
      telemetry.close();
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
    }
  }

  @Test
  void turnedOffItMeasuresNothing() {
    try (Telemetry telemetry =
        Telemetry.start("worker", new TelemetryConfig(false, "127.0.0.1", 0, Duration.ZERO))) {
      Metrics.QUEUE_TIME.on(telemetry.meter()).record(1);
      Span span = telemetry.tracer().spanBuilder("x").startSpan();
      assertThat(span.isRecording()).isFalse();
      span.end();
      assertThat(telemetry.metricsPort()).isZero();
    }
  }

  @Test
  void clientsCannotCreateLabelsWithoutEnd() {
    CappedLabel tenants = new CappedLabel();
    for (int i = 0; i < CappedLabel.MOST_VALUES; i++) {
      assertThat(tenants.of("t" + i)).isEqualTo("t" + i);
    }
    assertThat(tenants.of("one more")).isEqualTo("other");
    assertThat(tenants.of("t0")).isEqualTo("t0");
  }

  private static Telemetry withMemory(
      TelemetryConfig config, Map<String, String> otel, SpanMemory spans) {
    return new SdkStarter("worker", config)
        .start(builder ->
            builder
                .addPropertiesCustomizer(_ -> otel)
                .addTracerProviderCustomizer(
                    (tracers, _) -> tracers.addSpanProcessor(SimpleSpanProcessor.create(spans))));
  }

  private static String bucket(String name, String upperBound, int count) {
    return name + "_bucket\\{.*?le=\"" + upperBound.replace(".", "\\.") + "\".*} " + count;
  }

  private static HttpResponse<String> get(Telemetry telemetry, String path, String accept)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + telemetry.metricsPort() + path));
    if (!accept.isEmpty()) {
      request.header("Accept", accept);
    }
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
  }
}
