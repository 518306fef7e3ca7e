package dev.sluice.common.telemetry;

import dev.sluice.common.config.BuildInfo;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.exporter.prometheus.PrometheusMetricReader;
import io.opentelemetry.instrumentation.runtimetelemetry.RuntimeTelemetry;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdkBuilder;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.resources.ResourceBuilder;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Sets up the SDK from the {@code OTEL_*} variables, with our defaults where they are silent. */
final class SdkStarter {
  private static final AttributeKey<String> NAME = AttributeKey.stringKey("service.name");
  private static final AttributeKey<String> INSTANCE =
      AttributeKey.stringKey("service.instance.id");
  private static final AttributeKey<String> VERSION = AttributeKey.stringKey("service.version");

  /**
   * Warns, whenever Prometheus reads, of exemplars of gRPC's own metrics that lose attributes
   * beyond Prometheus' limit. The trace, which is what they are for, they keep. Held, since a
   * logger that nobody holds forgets its level.
   */
  private static final Logger CONVERTER =
      Logger.getLogger("io.opentelemetry.exporter.prometheus.Otel2PrometheusConverter");

  static {
    CONVERTER.setLevel(Level.SEVERE);
  }

  private final String serviceName;
  private final TelemetryConfig config;

  SdkStarter(String serviceName, TelemetryConfig config) {
    this.serviceName = serviceName;
    this.config = config;
  }

  /**
   * @param extra what a test adds, such as an exporter that keeps spans in memory
   */
  Telemetry start(
      Function<AutoConfiguredOpenTelemetrySdkBuilder, AutoConfiguredOpenTelemetrySdkBuilder>
          extra) {
    PrometheusMetricReader reader =
        PrometheusMetricReader.builder().setOtelScopeLabelsEnabled(false).build();
    PrometheusRegistry registry = new PrometheusRegistry();
    registry.register(reader);
    Scrape scrape = Scrape.of(registry);
    // the port first: if it is taken, nothing else has been started
    MetricsEndpoint endpoint =
        MetricsEndpoint.start(config.metricsHost(), config.metricsPort(), scrape);
    AutoConfiguredOpenTelemetrySdkBuilder builder =
        extra
            .apply(AutoConfiguredOpenTelemetrySdk.builder())
            .disableShutdownHook() // closed in order, by its owner
            .addPropertiesCustomizer(SdkStarter::exporters)
            .addResourceCustomizer((resource, _) -> identify(resource))
            .addMeterProviderCustomizer((meters, _) -> meters.registerMetricReader(reader));
    OpenTelemetrySdk sdk;
    try {
      sdk = builder.build().getOpenTelemetrySdk();
    } catch (RuntimeException e) {
      endpoint.close();
      throw e;
    }
    RuntimeTelemetry jvm = RuntimeTelemetry.create(sdk);
    return new Telemetry(
        sdk,
        scrape,
        endpoint.port(),
        () -> {
          jvm.close();
          sdk.shutdown().join(config.flushTimeout().toMillis(), TimeUnit.MILLISECONDS);
          endpoint.close();
        });
  }

  /**
   * The SDK would send to localhost:4317 by default; we send only if told where. Prometheus is
   * always served by our own endpoint, so that one is never started a second time.
   */
  private static Map<String, String> exporters(ConfigProperties otel) {
    Map<String, String> exporters = new HashMap<>();
    for (String signal : new String[] {"traces", "metrics", "logs"}) {
      String key = "otel." + signal + ".exporter";
      @Nullable String chosen = otel.getString(key);
      if (chosen == null) {
        boolean target =
            otel.getString("otel.exporter.otlp.endpoint") != null
                || otel.getString("otel.exporter.otlp." + signal + ".endpoint") != null;
        chosen = target && !signal.equals("logs") ? "otlp" : "none";
      }
      String others =
          Arrays.stream(chosen.split(",", -1))
              .map(String::strip)
              .filter(exporter -> !exporter.equals("prometheus"))
              .collect(Collectors.joining(","));
      exporters.put(key, others.isEmpty() ? "none" : others);
    }
    return exporters;
  }

  private Resource identify(Resource resource) {
    ResourceBuilder builder = resource.toBuilder();
    @Nullable String name = resource.getAttribute(NAME);
    if (name == null || name.startsWith("unknown_service")) {
      builder.put(NAME, serviceName);
    }
    if (resource.getAttribute(INSTANCE) == null) {
      builder.put(INSTANCE, UUID.randomUUID().toString());
    }
    if (resource.getAttribute(VERSION) == null) {
      builder.put(VERSION, BuildInfo.version());
    }
    return builder.build();
  }
}
