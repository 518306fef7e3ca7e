package dev.sluice.common.telemetry;

import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot.InfoDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricMetadata;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Repeats what a worker measures under the names and labels of vLLM, which autoscalers, endpoint
 * pickers and dashboards read. Done when Prometheus reads, as OpenTelemetry's names may not have a
 * colon. A router's metrics are not repeated: its requests are its workers'.
 */
final class VllmNames {
  /** Only workers have it. */
  private static final String OF_WORKERS = "sluice_requests_running";

  private static final String MODEL = "gen_ai_request_model";
  private static final String VLLM_MODEL = "model_name";

  private static final Map<String, List<String>> NAMES =
      Map.ofEntries(
          Map.entry(OF_WORKERS, List.of("vllm:num_requests_running")),
          Map.entry("sluice_requests_waiting", List.of("vllm:num_requests_waiting")),
          Map.entry("sluice_kv_use", List.of("vllm:kv_cache_usage_perc")),
          Map.entry(
              "sluice_prompt_tokens", List.of("vllm:prompt_tokens", "vllm:prefix_cache_queries")),
          Map.entry("sluice_prefix_hit_tokens", List.of("vllm:prefix_cache_hits")),
          Map.entry("sluice_output_tokens", List.of("vllm:generation_tokens")),
          Map.entry("sluice_preemptions", List.of("vllm:num_preemptions")),
          Map.entry("sluice_draft_tokens", List.of("vllm:spec_decode_num_draft_tokens")),
          Map.entry(
              "sluice_accepted_draft_tokens", List.of("vllm:spec_decode_num_accepted_tokens")),
          Map.entry(
              "gen_ai_server_time_to_first_token_seconds",
              List.of("vllm:time_to_first_token_seconds")),
          Map.entry(
              "gen_ai_server_time_per_output_token_seconds",
              List.of("vllm:request_time_per_output_token_seconds")),
          Map.entry(
              "gen_ai_server_request_duration_seconds",
              List.of("vllm:e2e_request_latency_seconds")),
          Map.entry("sluice_prefill_time_seconds", List.of("vllm:request_prefill_time_seconds")),
          Map.entry("sluice_decode_time_seconds", List.of("vllm:request_decode_time_seconds")),
          Map.entry("sluice_request_input_tokens", List.of("vllm:request_prompt_tokens")),
          Map.entry("sluice_request_output_tokens", List.of("vllm:request_generation_tokens")),
          Map.entry("sluice_requests_finished", List.of("vllm:request_success")),
          Map.entry(
              "sluice_inter_token_latency_seconds", List.of("vllm:inter_token_latency_seconds")),
          Map.entry("sluice_queue_time_seconds", List.of("vllm:request_queue_time_seconds")));

  /** Written as {@code vllm:cache_config_info}: the suffix is Prometheus' own. */
  private static final Map<String, String> INFOS =
      Map.of("sluice_cache_config", "vllm:cache_config");

  private VllmNames() {}

  static MetricSnapshots added(MetricSnapshots snapshots) {
    if (snapshots.stream()
        .noneMatch(snapshot -> snapshot.getMetadata().getPrometheusName().equals(OF_WORKERS))) {
      return snapshots;
    }
    MetricSnapshots.Builder all = MetricSnapshots.builder();
    for (MetricSnapshot snapshot : snapshots) {
      all.metricSnapshot(snapshot);
      String ours = snapshot.getMetadata().getPrometheusName();
      for (String name : NAMES.getOrDefault(ours, List.of())) {
        renamed(snapshot, metadata(name, snapshot)).ifPresent(all::metricSnapshot);
      }
      @Nullable String info = INFOS.get(ours);
      if (info != null && snapshot instanceof GaugeSnapshot gauge) {
        all.metricSnapshot(
            new InfoSnapshot(
                metadata(info, snapshot),
                gauge.getDataPoints().stream()
                    .map(point -> new InfoDataPointSnapshot(labels(point.getLabels())))
                    .toList()));
      }
    }
    return all.build();
  }

  private static MetricMetadata metadata(String name, MetricSnapshot snapshot) {
    String help = snapshot.getMetadata().getHelp();
    return new MetricMetadata(name, help == null ? "" : help);
  }

  private static Optional<MetricSnapshot> renamed(
      MetricSnapshot snapshot, MetricMetadata metadata) {
    return switch (snapshot) {
      case GaugeSnapshot gauge ->
          Optional.of(
              new GaugeSnapshot(
                  metadata,
                  gauge.getDataPoints().stream()
                      .map(point ->
                          new GaugeDataPointSnapshot(
                              point.getValue(), labels(point.getLabels()), point.getExemplar()))
                      .toList()));
      case CounterSnapshot counter ->
          Optional.of(
              new CounterSnapshot(
                  metadata,
                  counter.getDataPoints().stream()
                      .map(point ->
                          new CounterDataPointSnapshot(
                              point.getValue(),
                              labels(point.getLabels()),
                              point.getExemplar(),
                              point.getCreatedTimestampMillis()))
                      .toList()));
      case HistogramSnapshot histogram ->
          Optional.of(
              new HistogramSnapshot(
                  metadata,
                  histogram.getDataPoints().stream()
                      .map(point ->
                          new HistogramDataPointSnapshot(
                              point.getClassicBuckets(),
                              point.getSum(),
                              labels(point.getLabels()),
                              point.getExemplars(),
                              point.getCreatedTimestampMillis()))
                      .toList()));
      default -> Optional.empty();
    };
  }

  /** Beside ours, the label that says which model. */
  private static Labels labels(Labels ours) {
    @Nullable String model = ours.get(MODEL);
    return model == null || ours.contains(VLLM_MODEL) ? ours : ours.add(VLLM_MODEL, model);
  }
}
