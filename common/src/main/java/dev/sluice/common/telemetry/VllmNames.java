package dev.sluice.common.telemetry;

import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot.InfoDataPointSnapshot;
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
          "sluice_kv_use", "vllm:kv_cache_usage_perc");

  /** Written as {@code vllm:cache_config_info}: the suffix is Prometheus' own. */
  private static final Map<String, String> INFOS =
      Map.of("sluice_cache_config", "vllm:cache_config");

  private VllmNames() {}

  static MetricSnapshots added(MetricSnapshots snapshots) {
    MetricSnapshots.Builder all = MetricSnapshots.builder();
    for (MetricSnapshot snapshot : snapshots) {
      all.metricSnapshot(snapshot);
      if (snapshot instanceof GaugeSnapshot gauge) {
        MetricMetadata metadata = gauge.getMetadata();
        String help = metadata.getHelp() == null ? "" : metadata.getHelp();
        @Nullable String name = NAMES.get(metadata.getPrometheusName());
        if (name != null) {
          all.metricSnapshot(
              new GaugeSnapshot(new MetricMetadata(name, help), gauge.getDataPoints()));
        }
        @Nullable String info = INFOS.get(metadata.getPrometheusName());
        if (info != null) {
          all.metricSnapshot(
              new InfoSnapshot(
                  new MetricMetadata(info, help),
                  gauge.getDataPoints().stream()
                      .map(point -> new InfoDataPointSnapshot(point.getLabels()))
                      .toList()));
        }
      }
    }
    return all.build();
  }
}
