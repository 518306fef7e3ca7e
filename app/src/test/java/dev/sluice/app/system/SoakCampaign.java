package dev.sluice.app.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.app.system.ChaosRequests.Choice;
import dev.sluice.client.RetryPolicy;
import dev.sluice.client.SluiceClient;
import dev.sluice.v1.Load;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/**
 * An hour of load of all kinds, two thirds of it with faults: nothing grows, nothing slows down,
 * and every answer is right. Looked at are a worker and a router that live through all of it; other
 * workers and the other router are killed and started again, which these have to put up with.
 *
 * <pre>
 * mvn verify -pl app -am -Dtest=NoSuchTest -Dsurefire.failIfNoSpecifiedTests=false
 *     -Dit.test=SoakCampaign -Dfailsafe.failIfNoSpecifiedTests=false
 * </pre>
 *
 * {@code -Dsluice.soak.minutes} makes it longer or shorter. Prints a line for each look. No part of
 * the build.
 */
final class SoakCampaign {
  private static final int MINUTES = Integer.getInteger("sluice.soak.minutes", 60);
  private static final Duration PHASE = Duration.ofMinutes(MINUTES).dividedBy(6); // peace, 4, peace
  private static final int FAULTY_PHASES = 4;

  private static final int REQUESTS = 60;
  private static final int TOKENS = 48;
  private static final int CONCURRENCY = 8;
  private static final int WORKERS = 3;
  private static final int SURVIVOR = 0; // of the workers; of the routers it is the second
  private static final Duration STALL = Duration.ofSeconds(10);
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final int PAUSE_MILLIS = 15_000; // between faults

  private static final long MIB = 1 << 20;
  private static final long MORE_HEAP = 4 * MIB;
  private static final long MORE_MEMORY = 24 * MIB; // code that is compiled late, mostly
  private static final int MORE_FILES = 8;
  private static final int MORE_THREADS = 8;
  private static final double SLOWER = 1.1;

  /** A worker and a router at one moment. */
  private record Look(Vitals worker, Vitals router) {}

  @Test
  void nothingGrowsAndNothingSlowsDown() throws Exception {
    try (ChaosFleet fleet = new ChaosFleet(WORKERS, 2, STALL)) {
      fleet.awaitReady();
      try (SluiceClient client =
          SluiceClient.builder(fleet.targets())
              .timeout(PATIENCE.multipliedBy(2))
              .retry(RetryPolicy.DEFAULTS.withTimeouts(PATIENCE, PATIENCE))
              .build()) {
        ChaosLoad load = new ChaosLoad(client, ChaosRequests.mixed(REQUESTS, TOKENS), CONCURRENCY);
        List<List<Choice>> expected = new ArrayList<>(Collections.nCopies(REQUESTS, List.of()));
        load.send(0, (turn, answer, _) -> expected.set(turn, answer)).await();

        double[] before = inPeace(load, expected);
        List<Look> looks = new ArrayList<>();
        looks.add(look(fleet, "peace"));
        AtomicInteger answers = new AtomicInteger();
        for (int phase = 0; phase < FAULTY_PHASES; phase++) {
          List<String> events = withFaults(fleet, load, expected, answers, phase);
          looks.add(look(fleet, answers + " answers under " + events));
        }
        double[] after = inPeace(load, expected);
        looks.add(look(fleet, "peace"));

        assertThat(load.wrong()).isEmpty();
        // Others' deaths have filled the survivor's cache of blocks by its second look.
        assertNothingGrew(looks.get(1), looks.getLast());
        double slower = median(ratios(before, after));
        System.out.printf("soak: the last answers took %.3f times as long as the first%n", slower);
        assertThat(slower).isLessThan(SLOWER);
      }
    }
  }

  /** Nanoseconds that each of the requests took, in the middle. */
  private static double[] inPeace(ChaosLoad load, List<List<Choice>> expected)
      throws InterruptedException {
    List<List<Double>> nanos = new ArrayList<>();
    for (int i = 0; i < REQUESTS; i++) {
      nanos.add(new ArrayList<>());
    }
    load.send(
            System.nanoTime() + PHASE.toNanos(),
            (turn, answer, took) -> {
              nanos.get(turn % REQUESTS).add((double) took);
              load.compare(turn, answer, expected);
            })
        .await();
    return nanos.stream()
        .mapToDouble(each -> median(each.stream().mapToDouble(Double::doubleValue).toArray()))
        .toArray();
  }

  private static List<String> withFaults(
      ChaosFleet fleet,
      ChaosLoad load,
      List<List<Choice>> expected,
      AtomicInteger answers,
      int phase)
      throws Exception {
    CountDownLatch done =
        load.send(
            System.nanoTime() + PHASE.toNanos(),
            (turn, answer, _) -> {
              answers.incrementAndGet();
              load.compare(turn, answer, expected);
            });
    Disturbance disturbance =
        new Disturbance(fleet, load, new Random(phase), STALL, PAUSE_MILLIS, Set.of(SURVIVOR));
    disturbance.until(done, PHASE.dividedBy(2));
    fleet.awaitReady();
    return disturbance.events();
  }

  private static Look look(ChaosFleet fleet, String after) throws Exception {
    awaitIdle(fleet);
    Look look = new Look(Vitals.of(fleet.workerPid(SURVIVOR)), Vitals.of(fleet.routerPid(1)));
    System.out.println("soak: " + after);
    System.out.println("  worker " + look.worker());
    System.out.println("  router " + look.router());
    return look;
  }

  /** Waits until no worker has a request or a block of one. */
  private static void awaitIdle(ChaosFleet fleet) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    for (int worker = 0; worker < WORKERS; worker++) {
      Load load = fleet.load(worker);
      while (load.getRunningRequests() + load.getWaitingRequests() + load.getKvBlocksOwned() > 0) {
        assertThat(System.nanoTime() - deadline)
            .as("time left for worker %d with %s", worker + 1, load)
            .isNegative();
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
        load = fleet.load(worker);
      }
    }
  }

  private static void assertNothingGrew(Look first, Look last) {
    assertNothingGrew("worker", first.worker(), last.worker());
    assertNothingGrew("router", first.router(), last.router());
  }

  private static void assertNothingGrew(String process, Vitals first, Vitals last) {
    assertThat(last.heap()).as(process + "'s heap").isLessThan(first.heap() + MORE_HEAP);
    assertThat(last.memory()).as(process + "'s memory").isLessThan(first.memory() + MORE_MEMORY);
    assertThat(last.files()).as(process + "'s files").isLessThan(first.files() + MORE_FILES);
    assertThat(last.threads())
        .as(process + "'s threads")
        .isLessThan(first.threads() + MORE_THREADS);
  }

  private static double[] ratios(double[] before, double[] after) {
    double[] ratios = new double[before.length];
    Arrays.setAll(ratios, i -> after[i] / before[i]);
    return ratios;
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
