package dev.sluice.router.admission;

import dev.sluice.common.error.Lateness;
import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.router.fleet.Fleet;
import dev.sluice.router.fleet.FleetLoop;
import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.fleet.Subscription;
import dev.sluice.router.fleet.WorkerReport;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.v1.Model;
import io.opentelemetry.api.metrics.Meter;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Lets requests in: holds tenants to their limits, refuses at once what is predicted to come too
 * late, and has those wait, in fair order, for which no worker has room. A worker so never has more
 * to compute than it asks for, and what waits can go to whichever has room first.
 *
 * <p>Threading: any thread. Turns are given on the fleet loop alone, when the fleet has changed or
 * a request has freed room; one that finds nobody waiting goes on at once, on its own thread.
 */
public final class Admission implements AutoCloseable {
  private static final double USUAL_RETRY_NANOS = 1e9;

  private final AdmissionOptions options;
  private final Fleet fleet;
  private final FleetLoop loop;
  private final Tenants tenants;
  private final AdmissionMetrics metrics;
  private final ConcurrentHashMap<String, Lane> lanes = new ConcurrentHashMap<>(); // by model id
  private final AtomicBoolean turnsAsked = new AtomicBoolean();
  private final Subscription changes;

  public Admission(
      AdmissionOptions options,
      TenantOptions tenantOptions,
      Fleet fleet,
      FleetLoop loop,
      Meter meter) {
    this.options = options;
    this.fleet = fleet;
    this.loop = loop;
    tenants = new Tenants(tenantOptions, options.burst(), loop::nanoTime);
    metrics = new AdmissionMetrics(meter, lanes::values);
    changes = fleet.subscribe(this::giveTurns);
  }

  /** What tenants get from now on. */
  public void change(TenantOptions tenantOptions) {
    tenants.change(tenantOptions);
  }

  /**
   * Counts a request against the limits of its tenant, before any work is spent on it. What another
   * router has let in stays in.
   *
   * @throws RefusalException if it is over them
   */
  public void limit(Demand demand) {
    Tenant tenant = tenants.of(demand.tenant());
    if (tenant.isLimited() && !demand.goesOn()) {
      refuse(tenant, tenant.tryEnter(fleet.snapshot().routers()));
    }
  }

  /**
   * Lets a request in. Whoever gets the place must close it.
   *
   * @param model id or alias; empty for the only one served
   * @param promptTokens to compute if nothing is cached
   * @param leftNanos until its deadline
   * @throws RefusalException if it will not be in time
   */
  public Place enter(Demand demand, String model, int promptTokens, long leftNanos) {
    Tenant tenant = tenants.of(demand.tenant());
    FleetSnapshot snapshot = fleet.snapshot();
    Optional<Model> served = served(model, snapshot);
    Optional<Lane> lane = served.map(this::laneOf);
    // What no worker will take is refused by one, with what is wrong with it.
    if (!demand.goesOn() && served.isPresent() && promptTokens < contextLength(served.get())) {
      refuse(tenant, late(demand, lane.orElseThrow(), tenant, promptTokens, snapshot, leftNanos));
    }
    tenant.spend(promptTokens);
    return new Place(this, tenant, demand, model, promptTokens, lane);
  }

  private void refuse(Tenant tenant, Optional<Refusal.Overloaded> refusal) {
    if (refusal.isPresent()) {
      metrics.refused(tenant.name(), refusal.get().reason());
      throw new RefusalException(refusal.get());
    }
  }

  /** How long a request waits for room at most. */
  public Duration queueTimeout() {
    return options.queueTimeout();
  }

  /** A request waited in vain. */
  public Refusal timedOut(String model) {
    return new Refusal.Overloaded(
        "QUEUE_TIMEOUT",
        "no worker of model "
            + model
            + " had room within "
            + options.queueTimeout().toMillis()
            + " ms",
        Lateness.retryAfter(
            lane(model, fleet.snapshot()).map(this::halfNanos).orElse(USUAL_RETRY_NANOS)),
        Map.of("queue_timeout_ms", Long.toString(options.queueTimeout().toMillis())));
  }

  /** A worker may have room again. */
  public void roomFreed() {
    if (isAnybodyWaiting() && turnsAsked.compareAndSet(false, true)) {
      loop.execute(() -> {
        turnsAsked.set(false);
        giveTurns();
      });
    }
  }

  /** Gives nobody a turn from now on. */
  @Override
  public void close() {
    changes.close();
  }

  /** Requests that wait for a worker with room. */
  public int queued() {
    int queued = 0;
    for (Lane lane : lanes.values()) {
      queued += lane.waiting();
    }
    return queued;
  }

  private boolean isAnybodyWaiting() {
    for (Lane lane : lanes.values()) {
      if (lane.waiting() > 0) {
        return true;
      }
    }
    return false;
  }

  /** Fleet loop. */
  private void giveTurns() {
    for (Lane lane : lanes.values()) {
      while (lane.waiting() > 0 && isWorthALook(lane, fleet.snapshot())) {
        Optional<Lane.Turn> turn = lane.next(now());
        if (turn.isEmpty() || !give(lane, turn.get())) {
          break;
        }
      }
    }
  }

  /** False if the place keeps its turn: nobody has room. */
  private boolean give(Lane lane, Lane.Turn turn) {
    Place place = turn.place();
    Optional<Runnable> next = turn.waiter().turn();
    if (next.isEmpty() && lane.putBack(place, now())) {
      return false;
    }
    lane.take(place, now());
    place.leftQueue();
    next.ifPresentOrElse(Runnable::run, turn.waiter()::left);
    return true;
  }

  /** Whether a worker of the model has room, or none is ready: then waiting is of no use. */
  private static boolean isWorthALook(Lane lane, FleetSnapshot snapshot) {
    boolean anyReady = false;
    for (WorkerView worker : snapshot.workers()) {
      if (worker.takes(lane.model())) {
        if (worker.hasRoom(1)) {
          return true;
        }
        anyReady = true;
      }
    }
    return !anyReady;
  }

  private Optional<Refusal.Overloaded> late(
      Demand demand,
      Lane lane,
      Tenant tenant,
      int promptTokens,
      FleetSnapshot snapshot,
      long leftNanos) {
    long pending = leastPending(lane, snapshot);
    Forecast forecast =
        lane.forecast(tenant, demand.priority(), promptTokens, (double) pending, now());
    double ttft = forecast.ttftNanos();
    double target = (double) demand.ttftTarget().map(Duration::toNanos).orElse(Long.MAX_VALUE);
    if (ttft > target) {
      return Optional.of(Lateness.firstToken(ttft, target, numbers(demand, forecast)));
    }
    int most = demand.maxTokens().orElse(Integer.MAX_VALUE);
    double end = forecast.endNanos(Math.min(most, tenant.outputMean()));
    return end > leftNanos
        ? Optional.of(Lateness.end(end, (double) leftNanos, numbers(demand, forecast)))
        : Optional.empty();
  }

  private static Map<String, String> numbers(Demand demand, Forecast forecast) {
    return Map.of(
        "tenant", demand.tenant(),
        "queued_requests", Integer.toString(forecast.queuedRequests()),
        "tokens_ahead", Long.toString(forecast.tokensAhead()));
  }

  /** Prompt tokens that the least busy worker of the model is yet to compute. */
  private static long leastPending(Lane lane, FleetSnapshot snapshot) {
    long least = Long.MAX_VALUE;
    for (WorkerView worker : snapshot.workers()) {
      if (worker.takes(lane.model())) {
        least = Math.min(least, worker.pendingPrefillTokens());
      }
    }
    return least == Long.MAX_VALUE ? 0 : least;
  }

  Refusal queueFull(Place place, Lane lane) {
    return new Refusal.Overloaded(
        "QUEUE_FULL",
        lane.waiting()
            + " requests wait for model "
            + lane.model()
            + ", with "
            + lane.waitingTokens()
            + " prompt tokens; tenant \""
            + place.tenant().name()
            + "\" has as many of them as it may (expected: at most half of what the others leave of"
            + " "
            + options.maxQueuedRequests()
            + " requests and "
            + options.maxQueuedTokens()
            + " tokens)",
        Lateness.retryAfter(halfNanos(lane)),
        Map.of(
            "tenant", place.tenant().name(),
            "max_queued_requests", Integer.toString(options.maxQueuedRequests()),
            "max_queued_tokens", Long.toString(options.maxQueuedTokens())));
  }

  private double halfNanos(Lane lane) {
    OptionalDouble half = lane.halfNanos(now());
    return half.orElse(USUAL_RETRY_NANOS);
  }

  /** Where requests for this model wait; empty if no worker serves it. */
  Optional<Lane> lane(String model, FleetSnapshot snapshot) {
    return served(model, snapshot).map(this::laneOf);
  }

  private Lane laneOf(Model model) {
    Lane known = lanes.get(model.getId());
    return known != null
        ? known
        : lanes.computeIfAbsent(model.getId(), id -> new Lane(id, options));
  }

  private static int contextLength(Model model) {
    return model.getContextLength() > 0 ? model.getContextLength() : Integer.MAX_VALUE;
  }

  private static Optional<Model> served(String model, FleetSnapshot snapshot) {
    for (WorkerView worker : snapshot.workers()) {
      if (worker.answersTo(model)) {
        return worker.report().map(WorkerReport::model);
      }
    }
    return Optional.empty();
  }

  Subscription schedule(Duration delay, Runnable task) {
    return loop.schedule(delay, task);
  }

  AdmissionMetrics metrics() {
    return metrics;
  }

  long now() {
    return loop.nanoTime();
  }
}
