package dev.sluice.common.telemetry;

import java.time.Duration;

/**
 * What a process tells about itself. Where spans go is set by the {@code OTEL_*} variables.
 *
 * @param enabled false: no spans, no metrics, no endpoint
 * @param metricsHost address of the Prometheus endpoint; loopback unless set
 * @param metricsPort 0 to 65535; 0: any free one
 * @param flushTimeout how long the process may take to send its last spans when it stops
 */
public record TelemetryConfig(
    boolean enabled, String metricsHost, int metricsPort, Duration flushTimeout) {
  public TelemetryConfig {
    if (metricsHost.isBlank()) {
      throw new IllegalArgumentException(
          "metrics-host: \"\" (expected: an address such as 127.0.0.1)");
    }
    if (metricsPort < 0 || metricsPort > 65535) {
      throw new IllegalArgumentException(
          "metrics-port: " + metricsPort + " (expected: 0 to 65535)");
    }
    if (flushTimeout.isNegative()) {
      throw new IllegalArgumentException(
          "flush-timeout: " + flushTimeout + " (expected: at least 0s)");
    }
  }

  /** On, loopback. */
  public static TelemetryConfig defaults(int metricsPort) {
    return new TelemetryConfig(true, "127.0.0.1", metricsPort, Duration.ofSeconds(3));
  }
}
