package dev.sluice.app.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.app.system.ChaosRequests.Choice;
import dev.sluice.client.RetryPolicy;
import dev.sluice.client.SluiceClient;
import dev.sluice.v1.GenerateRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Workers are killed, paused, drained and restarted at random, a router is killed, and no client
 * notices: every answer is, token by token and byte by byte, that of a run in peace. All of it in
 * processes, with the real model. Five minutes of it:
 *
 * <pre>
 * mvn verify -pl app -am -Dtest=NoSuchTest -Dsurefire.failIfNoSpecifiedTests=false
 *     -Dit.test=ChaosIT -Dfailsafe.failIfNoSpecifiedTests=false -Dsluice.chaos.seconds=300
 *     -Dsluice.chaos.requests=300 -Dsluice.chaos.workers=4
 * </pre>
 *
 * {@code -Dsluice.chaos.seed} varies what happens when.
 */
final class ChaosIT {
  private static final long SECONDS = Long.getLong("sluice.chaos.seconds", 25);
  private static final int REQUESTS = Integer.getInteger("sluice.chaos.requests", 20);
  private static final int WORKERS = Integer.getInteger("sluice.chaos.workers", 3);
  private static final long SEED = Long.getLong("sluice.chaos.seed", 1);
  private static final boolean FULL = SECONDS >= 60;

  private static final int TOKENS = FULL ? 64 : 32;
  private static final int CONCURRENCY = FULL ? 12 : 6;
  private static final Duration STALL = FULL ? Duration.ofSeconds(10) : Duration.ofSeconds(4);
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final int ROUTERS = 2;

  private final Random random = new Random(SEED);
  private final List<String> events = new ArrayList<>();
  private final List<String> wrong = new ArrayList<>(); // guarded by itself
  private final Set<Integer> running = ConcurrentHashMap.newKeySet();
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

  @Test
  void nobodyNoticesThatWorkersAndARouterDie() throws Exception {
    List<GenerateRequest> requests = ChaosRequests.mixed(REQUESTS, TOKENS);
    try (ChaosFleet fleet = new ChaosFleet(WORKERS, ROUTERS, STALL)) {
      fleet.awaitReady();
      try (SluiceClient client =
          SluiceClient.builder(fleet.targets())
              .timeout(PATIENCE.multipliedBy(2))
              .retry(RetryPolicy.DEFAULTS.withTimeouts(PATIENCE, PATIENCE))
              .build()) {
        List<List<Choice>> expected = new ArrayList<>();
        requests.forEach(_ -> expected.add(List.of()));
        CountDownLatch inPeace =
            send(client, requests, 0, (i, answer) -> expected.set(i % REQUESTS, answer));
        inPeace.await();
        assertThat(wrong).isEmpty();

        AtomicInteger answered = new AtomicInteger();
        CountDownLatch done =
            send(
                client,
                requests,
                System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS),
                (i, answer) -> {
                  answered.incrementAndGet();
                  if (!answer.equals(expected.get(i % REQUESTS))) {
                    note(
                        "request "
                            + i
                            + ": "
                            + answer
                            + " instead of "
                            + expected.get(i % REQUESTS));
                  }
                });
        disturb(fleet, done);
        assertThat(wrong).as("after " + events).isEmpty();
        assertThat(answered.get()).isGreaterThanOrEqualTo(REQUESTS);
        assertThat(events).as("what happened").contains("router").hasSizeGreaterThan(2);
        System.out.println("chaos: " + answered.get() + " answers, " + events);
      }
    }
  }

  /** Takes the answer of a request. */
  private interface Answers {
    void take(int request, List<Choice> answer);
  }

  /** Sends all, some at a time, and again from the first while there is time. */
  private CountDownLatch send(
      SluiceClient client, List<GenerateRequest> requests, long untilNanos, Answers answers) {
    AtomicInteger next = new AtomicInteger();
    CountDownLatch done = new CountDownLatch(CONCURRENCY);
    IntStream.range(0, CONCURRENCY)
        .forEach(_ ->
            Thread.startVirtualThread(() -> {
              try {
                for (int i = next.getAndIncrement();
                    i < REQUESTS || (untilNanos != 0 && System.nanoTime() - untilNanos < 0);
                    i = next.getAndIncrement()) {
                  running.add(i);
                  try {
                    List<Choice> answer = ChaosRequests.ask(client, requests.get(i % REQUESTS));
                    synchronized (answers) {
                      answers.take(i, answer);
                    }
                  } catch (RuntimeException | AssertionError e) {
                    note("request " + i + ": " + e);
                  } finally {
                    running.remove(i);
                  }
                }
              } finally {
                done.countDown();
              }
            }));
    return done;
  }

  private void note(String what) {
    synchronized (wrong) {
      wrong.add(what);
    }
  }

  /** Does something to the fleet now and then, until all have been answered. */
  private void disturb(ChaosFleet fleet, CountDownLatch done) throws Exception {
    List<Due> due = new ArrayList<>();
    Set<Integer> disturbed = new HashSet<>();
    long routerDue = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS) / 2;
    boolean routerRestarted = false;
    int turn = 0;
    while (!done.await(1_000 + random.nextInt(FULL ? 4_000 : 1_500), TimeUnit.MILLISECONDS)) {
      for (Due end : List.copyOf(due)) {
        if (System.nanoTime() - end.nanos() >= 0 && settle(fleet, end)) {
          due.remove(end);
        }
      }
      if (!routerRestarted && System.nanoTime() - routerDue >= 0) {
        fleet.restartRouter(0);
        routerRestarted = true;
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
      Kind kind = Kind.values()[turn++ % Kind.values().length];
      if (kind == Kind.KILL && running.stream().anyMatch(runningAtKill::contains)) {
        // A request that meets several deaths is refused on purpose (REQUEST_KILLS_WORKERS).
        kind = Kind.RESTART;
      }
      long settled = begin(fleet, kind, worker);
      disturbed.add(worker);
      due.add(new Due(System.nanoTime() + settled, worker, kind));
      events.add(kind + " " + (worker + 1));
    }
    for (Due end : due) { // so that nobody stays paused
      if (end.kind() == Kind.PAUSE) {
        fleet.continueWorker(end.worker());
      }
    }
  }

  /** Returns after how many nanoseconds it is undone. */
  private long begin(ChaosFleet fleet, Kind kind, int worker) throws Exception {
    return switch (kind) {
      case KILL -> {
        runningAtKill = Set.copyOf(running);
        fleet.killWorker(worker);
        yield 0;
      }
      case RESTART -> {
        fleet.stopWorker(worker);
        yield 0;
      }
      case PAUSE -> {
        fleet.pauseWorker(worker);
        yield STALL.plusSeconds(2).toNanos();
      }
      case DRAIN -> {
        boolean _ = fleet.drainWorker(1, worker);
        yield TimeUnit.SECONDS.toNanos(3);
      }
    };
  }

  /** False if it could not be undone now. */
  private static boolean settle(ChaosFleet fleet, Due end) throws Exception {
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
