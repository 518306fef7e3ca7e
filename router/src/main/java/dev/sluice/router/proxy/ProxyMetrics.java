package dev.sluice.router.proxy;

import dev.sluice.common.telemetry.CappedLabel;
import dev.sluice.common.telemetry.GenAi;
import dev.sluice.common.telemetry.Metrics;
import dev.sluice.router.fleet.Fleet;
import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.fleet.WorkerStatus;
import dev.sluice.router.fleet.WorkerView;
import io.grpc.Status;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.context.Context;
import java.util.Locale;

/**
 * What the router measures. Nothing is recorded per message. Model names come from the fleet, never
 * from clients, so their number is bounded.
 *
 * <p>Threading: any thread.
 */
final class ProxyMetrics {
  private static final double NANOS_PER_SECOND = 1e9;

  private final CappedLabel workers = new CappedLabel(); // addresses come and go for months
  private final LongCounter requests;
  private final LongCounter attempts;
  private final LongCounter resumes;
  private final LongCounter decisions;
  private final LongCounter refusals;
  private final DoubleHistogram routingTime;
  private final DoubleHistogram duration;
  private final DoubleHistogram timeToFirstToken;
  private final DoubleHistogram admissionWait;
  private final DoubleHistogram tokenizeTime;

  ProxyMetrics(Meter meter, Fleet fleet) {
    requests = Metrics.REQUESTS.on(meter);
    attempts = Metrics.ATTEMPTS.on(meter);
    resumes = Metrics.RESUMES.on(meter);
    decisions = Metrics.DECISIONS.on(meter);
    refusals = Metrics.REFUSALS.on(meter);
    routingTime = Metrics.ROUTING_TIME.on(meter);
    duration = Metrics.REQUEST_DURATION.on(meter);
    timeToFirstToken = Metrics.TIME_TO_FIRST_TOKEN.on(meter);
    admissionWait = Metrics.ADMISSION_WAIT.on(meter);
    tokenizeTime = Metrics.TOKENIZE_TIME.on(meter);
    Metrics.IN_FLIGHT.observe(
        meter,
        measurement -> {
          for (WorkerView worker : fleet.snapshot().workers()) {
            measurement.record(
                worker.link().inFlight(), Attributes.of(Names.WORKER, worker.address().toString()));
          }
        });
    Metrics.WORKERS.observe(
        meter,
        measurement -> {
          FleetSnapshot snapshot = fleet.snapshot();
          for (WorkerStatus status : WorkerStatus.values()) {
            measurement.record(
                snapshot.count(status),
                Attributes.of(Names.STATE, status.name().toLowerCase(Locale.ROOT)));
          }
        });
  }

  void decided(String policy, String outcome, long nanos, Context context) {
    decisions.add(1, Attributes.of(Names.POLICY, policy, Names.OUTCOME, outcome), context);
    routingTime.record(nanos / NANOS_PER_SECOND, Attributes.of(Names.POLICY, policy), context);
  }

  /**
   * @param outcome answered, failed, busy, refused, lost, drained, stalled or cancelled
   */
  void attempted(String worker, String outcome, Context context) {
    attempts.add(
        1, Attributes.of(Names.WORKER, workers.of(worker), Names.OUTCOME, outcome), context);
  }

  /**
   * @param reason why the worker before was left: died, drained or stalled
   */
  void resumed(String reason, Context context) {
    resumes.add(1, Attributes.of(Names.REASON, reason), context);
  }

  void refused(String reason, Context context) {
    refusals.add(1, Attributes.of(Names.REASON, reason), context);
  }

  void tokenized(long nanos, Context context) {
    tokenizeTime.record(nanos / NANOS_PER_SECOND, Attributes.empty(), context);
  }

  void firstToken(String operation, String model, long nanos, Context context) {
    timeToFirstToken.record(nanos / NANOS_PER_SECOND, genAi(operation, model), context);
  }

  void admitted(long waitNanos, Context context) {
    admissionWait.record(waitNanos / NANOS_PER_SECOND, Attributes.empty(), context);
  }

  void answered(
      String method, String operation, String model, Status status, long nanos, Context context) {
    String code = status.getCode().name();
    requests.add(1, Attributes.of(Names.METHOD, method, Names.STATUS, code), context);
    if (operation.isEmpty()) {
      return; // nothing is generated: not the convention's business
    }
    Attributes attributes = genAi(operation, model);
    duration.record(
        nanos / NANOS_PER_SECOND,
        status.isOk() ? attributes : attributes.toBuilder().put(GenAi.ERROR_TYPE, code).build(),
        context);
  }

  private static Attributes genAi(String operation, String model) {
    return Attributes.of(
        GenAi.OPERATION, operation, GenAi.PROVIDER, GenAi.SLUICE, GenAi.REQUEST_MODEL, model);
  }
}
