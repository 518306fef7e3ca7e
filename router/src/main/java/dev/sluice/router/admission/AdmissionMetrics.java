package dev.sluice.router.admission;

import dev.sluice.common.telemetry.CappedLabel;
import dev.sluice.common.telemetry.Metrics;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.metrics.Meter;
import java.util.Collection;
import java.util.function.Supplier;

/**
 * What is measured by tenant, and how much waits. Names of tenants come from clients: after the
 * first 1,000 all others are {@code other}. Models come from the fleet.
 *
 * <p>Threading: any thread.
 */
final class AdmissionMetrics {
  private static final AttributeKey<String> TENANT = AttributeKey.stringKey("tenant");
  private static final AttributeKey<String> OUTCOME = AttributeKey.stringKey("outcome");
  private static final AttributeKey<String> MODEL = AttributeKey.stringKey("model");
  private static final AttributeKey<String> TYPE = AttributeKey.stringKey("type");

  private final CappedLabel tenants = new CappedLabel();
  private final LongCounter requests;
  private final LongCounter tokens;

  AdmissionMetrics(Meter meter, Supplier<Collection<Lane>> lanes) {
    requests = Metrics.ROUTER_TENANT_REQUESTS.on(meter);
    tokens = Metrics.ROUTER_TENANT_TOKENS.on(meter);
    Metrics.QUEUED_REQUESTS.observe(
        meter,
        measurement -> {
          for (Lane lane : lanes.get()) {
            measurement.record(lane.waiting(), Attributes.of(MODEL, lane.model()));
          }
        });
    Metrics.QUEUED_TOKENS.observe(
        meter,
        measurement -> {
          for (Lane lane : lanes.get()) {
            measurement.record(lane.waitingTokens(), Attributes.of(MODEL, lane.model()));
          }
        });
  }

  /** A request went to a worker. */
  void admitted(String tenant) {
    requests.add(1, Attributes.of(TENANT, tenants.of(tenant), OUTCOME, "admitted"));
  }

  /** A request was not let in, or left the queue without a worker. */
  void refused(String tenant, String reason) {
    requests.add(1, Attributes.of(TENANT, tenants.of(tenant), OUTCOME, reason));
  }

  /** A request that went to a worker is over. */
  void served(String tenant, int promptTokens, int outputTokens) {
    String label = tenants.of(tenant);
    tokens.add(promptTokens, Attributes.of(TENANT, label, TYPE, "input"));
    tokens.add(outputTokens, Attributes.of(TENANT, label, TYPE, "output"));
  }
}
