package dev.sluice.common.telemetry;

import dev.sluice.common.config.Checks;
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
    Checks.notBlank("metrics-host", metricsHost, "an address such as 127.0.0.1");
    Checks.range("metrics-port", metricsPort, 0, 65535);
    Checks.atLeast("flush-timeout", flushTimeout, Duration.ZERO);
  }

  /** On, loopback. */
  public static TelemetryConfig defaults(int metricsPort) {
    return new TelemetryConfig(true, "127.0.0.1", metricsPort, Duration.ofSeconds(3));
  }
}
