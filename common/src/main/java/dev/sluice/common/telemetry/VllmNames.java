package dev.sluice.common.telemetry;

import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.MetricMetadata;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Repeats some gauges under the names that autoscalers and endpoint pickers read. Done when
 * Prometheus reads, as OpenTelemetry's names may not have a colon.
 */
final class VllmNames {
  private static final Map<String, String> NAMES =
      Map.of(
          "sluice_requests_running", "vllm:num_requests_running",
          "sluice_requests_waiting", "vllm:num_requests_waiting",
          "sluice_kv_use_ratio", "vllm:kv_cache_usage_perc");

  private VllmNames() {}

  static MetricSnapshots added(MetricSnapshots snapshots) {
    MetricSnapshots.Builder all = MetricSnapshots.builder();
    for (MetricSnapshot snapshot : snapshots) {
      all.metricSnapshot(snapshot);
      MetricMetadata metadata = snapshot.getMetadata();
      @Nullable String name = NAMES.get(metadata.getPrometheusName());
      if (name != null && snapshot instanceof GaugeSnapshot gauge) {
        String help = metadata.getHelp() == null ? "" : metadata.getHelp();
        all.metricSnapshot(
            new GaugeSnapshot(new MetricMetadata(name, help), gauge.getDataPoints()));
      }
    }
    return all.build();
  }
}
