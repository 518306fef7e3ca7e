package dev.sluice.router.page;

import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.fleet.WorkerStatus;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.v1.Load;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

/**
 * Looks at the fleet once a second and remembers what it saw.
 *
 * <p>Threading: one thread.
 */
final class Sampler {
  private static final double NANOS_PER_SECOND = 1e9;

  private final Supplier<FleetSnapshot> fleet;
  private final IntSupplier queued;
  private final RequestLog requests;
  private final Clock clock;
  private final int capacity;
  private final ArrayDeque<Sample> history = new ArrayDeque<>();
  private final OutputRates rates = new OutputRates();
  private List<WorkerRow> workers = List.of();
  private long lastNanos;
  private long lastEnded;
  private long lastFailed;

  /**
   * @param queued requests that wait in the router
   * @param capacity samples that are remembered
   */
  Sampler(
      Supplier<FleetSnapshot> fleet,
      IntSupplier queued,
      RequestLog requests,
      Clock clock,
      int capacity) {
    this.fleet = fleet;
    this.queued = queued;
    this.requests = requests;
    this.clock = clock;
    this.capacity = capacity;
    lastNanos = requests.nanoTime();
  }

  /** Takes the next sample. */
  Sample next() {
    List<WorkerView> views = fleet.get().workers();
    long now = requests.nanoTime();
    double seconds = Math.max(1, now - lastNanos) / NANOS_PER_SECOND;
    PrefixHits hits = new PrefixHits(requests.after(0));
    List<WorkerRow> rows = new ArrayList<>();
    Totals totals = new Totals();
    double tokensPerSecond = 0;
    for (WorkerView view : views) {
      WorkerRow row = new WorkerRow(view, rates.next(view, now), hits.of(view.name()));
      rows.add(row);
      totals.add(view);
      tokensPerSecond += row.tokensPerSecond();
    }
    rates.retain(views);
    workers = List.copyOf(rows);
    long ended = requests.ended();
    long failed = requests.failed();
    Sample sample =
        new Sample(
            clock.millis(),
            totals.ready,
            totals.running,
            totals.waiting,
            queued.getAsInt(),
            totals.share(totals.owned),
            totals.share(totals.cached),
            hits.all(),
            tokensPerSecond,
            (ended - lastEnded) / seconds,
            (failed - lastFailed) / seconds,
            requests.timeToFirstToken(),
            requests.interTokenLatency());
    lastNanos = now;
    lastEnded = ended;
    lastFailed = failed;
    if (history.size() == capacity) {
      history.removeFirst();
    }
    history.addLast(sample);
    return sample;
  }

  /** Sums over the workers that say something of themselves now. */
  private static final class Totals {
    private int ready;
    private int running;
    private int waiting;
    private long blocks;
    private long owned;
    private long cached;

    void add(WorkerView view) {
      if (view.status() == WorkerStatus.READY) {
        ready++;
      }
      Optional<Load> load = loadOf(view);
      if (load.isPresent()) {
        running += load.get().getRunningRequests();
        waiting += load.get().getWaitingRequests();
        blocks += load.get().getKvBlocksTotal();
        owned += load.get().getKvBlocksOwned();
        cached += load.get().getKvBlocksCached();
      }
    }

    double share(long part) {
      return blocks == 0 ? 0 : (double) part / blocks;
    }
  }

  /** What a worker has now; empty if nobody knows, since it is away or was never there. */
  static Optional<Load> loadOf(WorkerView view) {
    return switch (view.status()) {
      case READY, DRAINING -> view.report().map(report -> report.load());
      case JOINING, SUSPECT, GONE -> Optional.empty();
    };
  }

  /** The samples, the newest last. */
  List<Sample> history() {
    return List.copyOf(history);
  }

  /** The workers as of the newest sample. */
  List<WorkerRow> workers() {
    return workers;
  }
}
