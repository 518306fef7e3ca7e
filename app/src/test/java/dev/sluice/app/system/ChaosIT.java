package dev.sluice.app.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.app.system.ChaosRequests.Choice;
import dev.sluice.client.RetryPolicy;
import dev.sluice.client.SluiceClient;
import dev.sluice.v1.GenerateRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
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
        ChaosLoad load = new ChaosLoad(client, requests, CONCURRENCY);
        List<List<Choice>> expected = new ArrayList<>(Collections.nCopies(REQUESTS, List.of()));
        load.send(0, (turn, answer, _) -> expected.set(turn, answer)).await();
        assertThat(load.wrong()).isEmpty();

        AtomicInteger answered = new AtomicInteger();
        CountDownLatch done =
            load.send(
                System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS),
                (turn, answer, _) -> {
                  answered.incrementAndGet();
                  load.compare(turn, answer, expected);
                });
        Disturbance disturbance =
            new Disturbance(fleet, load, new Random(SEED), STALL, FULL ? 4_000 : 1_500, Set.of());
        disturbance.until(done, Duration.ofSeconds(SECONDS).multipliedBy(2).dividedBy(3));
        List<String> events = disturbance.events();
        assertThat(load.wrong()).as("after " + events).isEmpty();
        assertThat(answered.get()).isGreaterThanOrEqualTo(REQUESTS);
        assertThat(events).as("what happened").contains("router").hasSizeGreaterThan(2);
        System.out.println("chaos: " + answered.get() + " answers, " + events);
      }
    }
  }
}
