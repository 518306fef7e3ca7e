package dev.sluice.router.proxy;

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
import java.util.List;
import java.util.Locale;

/**
 * What the router measures. Durations are seconds, as the conventions ask. Nothing is recorded per
 * message. Model names come from the fleet, never from clients, so their number is bounded.
 *
 * <p>Threading: any thread.
 */
final class ProxyMetrics {
  private static final double NANOS_PER_SECOND = 1e9;
  private static final List<Double> DURATION_BUCKETS =
      List.of(
          0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92);
  private static final List<Double> TTFT_BUCKETS =
      List.of(
          0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5,
          10.0);
  private static final List<Double> DECISION_BUCKETS =
      List.of(5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 5e-3, 2.5e-2);

  private final LongCounter requests;
  private final LongCounter attempts;
  private final LongCounter decisions;
  private final DoubleHistogram decisionTime;
  private final DoubleHistogram duration;
  private final DoubleHistogram timeToFirstToken;
  private final DoubleHistogram admissionWait;

  ProxyMetrics(Meter meter, Fleet fleet) {
    requests =
        meter
            .counterBuilder("sluice.router.requests")
            .setDescription("Calls answered, by method and gRPC status")
            .build();
    attempts =
        meter
            .counterBuilder("sluice.router.attempts")
            .setDescription("Calls to workers, by outcome: answered, failed, busy, lost, cancelled")
            .build();
    decisions =
        meter
            .counterBuilder("sluice.router.decisions")
            .setDescription("Routing decisions, by policy and outcome")
            .build();
    decisionTime = seconds(meter, "sluice.router.decision.duration", DECISION_BUCKETS);
    duration = seconds(meter, "gen_ai.server.request.duration", DURATION_BUCKETS);
    timeToFirstToken = seconds(meter, "gen_ai.server.time_to_first_token", TTFT_BUCKETS);
    admissionWait = seconds(meter, "sluice.router.admission_wait", TTFT_BUCKETS);
    meter
        .gaugeBuilder("sluice.router.in_flight")
        .ofLongs()
        .setDescription("Calls that are at a worker now")
        .buildWithCallback(
            measurement -> {
              for (WorkerView worker : fleet.snapshot().workers()) {
                measurement.record(
                    worker.link().inFlight(),
                    Attributes.of(Names.WORKER, worker.address().toString()));
              }
            });
    meter
        .gaugeBuilder("sluice.router.workers")
        .ofLongs()
        .setDescription("Workers by state")
        .buildWithCallback(
            measurement -> {
              FleetSnapshot snapshot = fleet.snapshot();
              for (WorkerStatus status : WorkerStatus.values()) {
                measurement.record(
                    snapshot.count(status),
                    Attributes.of(Names.STATE, status.name().toLowerCase(Locale.ROOT)));
              }
            });
    meter
        .gaugeBuilder("sluice.router.ready_workers")
        .ofLongs()
        .setDescription("Workers that take requests")
        .buildWithCallback(measurement -> measurement.record(fleet.snapshot().ready()));
  }

  void decided(String policy, String outcome, long nanos, Context context) {
    decisions.add(1, Attributes.of(Names.POLICY, policy, Names.OUTCOME, outcome), context);
    decisionTime.record(nanos / NANOS_PER_SECOND, Attributes.of(Names.POLICY, policy), context);
  }

  void attempted(String worker, String outcome, Context context) {
    attempts.add(1, Attributes.of(Names.WORKER, worker, Names.OUTCOME, outcome), context);
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
      return; // nothing generated: not the convention's business
    }
    Attributes attributes = genAi(operation, model);
    duration.record(
        nanos / NANOS_PER_SECOND,
        status.isOk()
            ? attributes
            : attributes.toBuilder().put(Names.ERROR_TYPE, code).build(),
        context);
  }

  private static Attributes genAi(String operation, String model) {
    return Attributes.of(
        Names.OPERATION, operation, Names.PROVIDER, Names.SLUICE, Names.REQUEST_MODEL, model);
  }

  private static DoubleHistogram seconds(Meter meter, String name, List<Double> buckets) {
    return meter
        .histogramBuilder(name)
        .setUnit("s")
        .setExplicitBucketBoundariesAdvice(buckets)
        .build();
  }
}
