package dev.sluice.app.system;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Does something to a fleet now and then: kills, pauses, drains and restarts workers, of which one
 * at least stays sound, and kills the first router.
 *
 * <p>Threading: one thread.
 */
final class Disturbance {
  private static final int SHORTEST_PAUSE_MILLIS = 1_000;

  private final ChaosFleet fleet;
  private final ChaosLoad load;
  private final Random random;
  private final Duration stall;
  private final int pauseMillis;
  private final Set<Integer> survivors;
  private final List<String> events = new ArrayList<>();
  private Set<Integer> runningAtKill = Set.of();

  /** What is done with a worker later. */
  private record Due(long nanos, int worker, Kind kind) {}

  /** What happens to a worker. */
  private enum Kind {
    KILL,
    PAUSE,
    DRAIN,
    RESTART
  }

  /**
   * @param stall after which a router gives up a worker
   * @param pauseMillis at most, beyond a second, between two events
   * @param survivors workers that are paused and drained, but never ended
   */
  Disturbance(
      ChaosFleet fleet,
      ChaosLoad load,
      Random random,
      Duration stall,
      int pauseMillis,
      Set<Integer> survivors) {
    this.fleet = fleet;
    this.load = load;
    this.random = random;
    this.stall = stall;
    this.pauseMillis = pauseMillis;
    this.survivors = survivors;
  }

  /** What happened so far. */
  List<String> events() {
    return events;
  }

  /**
   * Goes on until all have been answered; then everything is as it was.
   *
   * @param routerEvery how often the first router is killed
   */
  void until(CountDownLatch done, Duration routerEvery) throws Exception {
    List<Due> due = new ArrayList<>();
    Set<Integer> disturbed = new HashSet<>();
    long routerDue = System.nanoTime() + routerEvery.toNanos();
    int turn = 0;
    while (!done.await(
        SHORTEST_PAUSE_MILLIS + random.nextInt(pauseMillis), TimeUnit.MILLISECONDS)) {
      settleThose(due);
      if (System.nanoTime() - routerDue >= 0) {
        fleet.restartRouter(0);
        routerDue += routerEvery.toNanos();
        events.add("router");
        continue;
      }
      Set<Integer> ready = fleet.ready();
      disturbed.removeIf(worker ->
          ready.contains(worker) && due.stream().noneMatch(end -> end.worker() == worker));
      List<Integer> sound = ready.stream().filter(w -> !disturbed.contains(w)).toList();
      if (sound.size() < 2) {
        continue; // one must stay
      }
      int worker = sound.get(random.nextInt(sound.size()));
      Kind kind = kind(turn++, worker);
      long settled = begin(kind, worker);
      disturbed.add(worker);
      due.add(new Due(System.nanoTime() + settled, worker, kind));
      events.add(kind + " " + (worker + 1));
    }
    for (Due end : due) {
      boolean _ = settle(end); // so that nobody stays paused or away
    }
  }

  private Kind kind(int turn, int worker) {
    Kind kind = Kind.values()[turn % Kind.values().length];
    boolean ends = kind == Kind.KILL || kind == Kind.RESTART;
    if (ends && survivors.contains(worker)) {
      return kind == Kind.KILL ? Kind.PAUSE : Kind.DRAIN;
    }
    // A request that meets several deaths is refused on purpose (REQUEST_KILLS_WORKERS).
    boolean again = load.running().stream().anyMatch(runningAtKill::contains);
    return kind == Kind.KILL && again ? Kind.RESTART : kind;
  }

  private void settleThose(List<Due> due) throws Exception {
    for (Due end : List.copyOf(due)) {
      if (System.nanoTime() - end.nanos() >= 0 && settle(end)) {
        due.remove(end);
      }
    }
  }

  /** Returns after how many nanoseconds it is undone. */
  private long begin(Kind kind, int worker) throws Exception {
    return switch (kind) {
      case KILL -> {
        runningAtKill = load.running();
        fleet.killWorker(worker);
        yield 0;
      }
      case RESTART -> {
        fleet.stopWorker(worker);
        yield 0;
      }
      case PAUSE -> {
        fleet.pauseWorker(worker);
        yield stall.plusSeconds(2).toNanos();
      }
      case DRAIN -> {
        boolean _ = fleet.drainWorker(1, worker);
        yield TimeUnit.SECONDS.toNanos(3);
      }
    };
  }

  /** False if it could not be undone now. */
  private boolean settle(Due end) throws Exception {
    switch (end.kind()) {
      case KILL, RESTART -> fleet.restartWorker(end.worker());
      case PAUSE -> fleet.continueWorker(end.worker());
      case DRAIN -> {
        return fleet.undrainWorker(1, end.worker());
      }
    }
    return true;
  }
}
