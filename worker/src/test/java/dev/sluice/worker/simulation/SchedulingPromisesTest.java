package dev.sluice.worker.simulation;

import static dev.sluice.worker.simulation.World.MILLI;
import static dev.sluice.worker.simulation.World.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.worker.engine.SchedulingPolicy;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What scheduling promises, with the real engine in virtual time and the default worker's costs, of
 * which each step's vary by 5 %. {@code docs/measure_scheduling.py} measures the same on the real
 * model.
 */
class SchedulingPromisesTest {
  private static final Optional<Duration> GOAL = Optional.of(Duration.ofMillis(50));

  /** One tenant sends 100 prompts of 2,048 tokens at once, another small ones one by one. */
  @Test
  void aFloodDoesNotDelayAnotherTenant() {
    SimulationResult alone = small(new World(SchedulingPolicy.FAIR, GOAL), false);
    World fair = new World(SchedulingPolicy.FAIR, GOAL);
    SimulationResult beside = small(fair, true);
    SimulationResult fcfs = small(new World(SchedulingPolicy.FCFS, GOAL), true);

    assertThat(beside.ttft().percentile(95))
        .isLessThanOrEqualTo(alone.ttft().percentile(95) + 2 * 50 * MILLI)
        .isLessThanOrEqualTo(150 * MILLI);
    assertThat(fcfs.ttft().percentile(50)).isGreaterThan(20 * SECOND);
    assertThat(fair.of("flood").completed()).isEqualTo(100);
  }

  private static SimulationResult small(World world, boolean flood) {
    for (int i = 0; i < 100; i++) {
      world.add(i * 1000L * MILLI + 5 * SECOND + 337L * MILLI * (i % 3), "small", 64, 16);
    }
    for (int i = 0; flood && i < 100; i++) {
      world.add(i * MILLI, "flood", 2048, 32);
    }
    world.run();
    return world.of("small");
  }

  /** Eight streams run while prompts of 4,096 tokens come. */
  @ParameterizedTest
  @ValueSource(ints = {50, 100, 200})
  void streamsKeepTheirGoalWhileLongPromptsCome(int goalMillis) {
    World world = streams(Optional.of(Duration.ofMillis(goalMillis)));
    SimulationResult all = world.run();
    assertThat(world.of("streams").itl().percentile(99))
        .isLessThanOrEqualTo((long) (1.2 * goalMillis * MILLI));
    assertThat(world.of("long").completed()).isEqualTo(10);

    SimulationResult free = streams(Optional.empty()).run();
    double loss = 1 - tokensPerSecond(all) / tokensPerSecond(free);
    assertThat(loss).as("loss of throughput").isLessThan(goalMillis == 200 ? 0.1 : 0.5);
  }

  private static World streams(Optional<Duration> goal) {
    World world = new World(SchedulingPolicy.FAIR, goal);
    for (int i = 0; i < 8; i++) {
      world.add(0, "streams", 64, 2000);
    }
    for (int i = 0; i < 10; i++) {
      world.add(2 * SECOND + i * 4L * SECOND, "long", 4096, 1);
    }
    return world;
  }

  private static double tokensPerSecond(SimulationResult result) {
    return (result.promptTokens() + result.outputTokens()) * 1e9 / result.endNanos();
  }

  /** Requests come four times as fast as they can be served, for three minutes. */
  @Test
  void goodputStaysUnderOverload() {
    double peak = 0;
    for (double rate : new double[] {1.5, 2, 2.3, 2.6, 3}) {
      peak = Math.max(peak, goodput(rate));
    }
    double overloaded = goodput(4 * peak);
    assertThat(overloaded).isGreaterThanOrEqualTo(0.95 * peak);
  }

  /** What is let in under overload mostly keeps its target: it is not let in to be late. */
  @Test
  void whatIsLetInIsServedInTime() {
    World world = World.fair();
    for (long time : world.poisson(12, 180 * SECOND)) {
      world.add(time, 256, 32, 2 * SECOND, 20 * SECOND);
    }
    SimulationResult result = world.run();
    assertThat(result.failures()).containsKey("TTFT_TARGET");
    assertThat((double) result.good() / result.completed()).isGreaterThan(0.9);
  }

  /** Requests that run when urgent ones come make room, and none is lost. */
  @Test
  void urgentRequestsDoNotWaitForOthers() {
    World world = World.fair();
    for (int i = 0; i < 200; i++) {
      world.add(0, "batch", 300, 300);
    }
    for (int i = 0; i < 20; i++) {
      world.addUrgent(20 * SECOND + i * 3L * SECOND, "urgent", 64, 8);
    }
    SimulationResult all = world.run();
    assertThat(all.completed()).isEqualTo(220);
    assertThat(world.of("urgent").ttft().percentile(99)).isLessThan(2 * SECOND);
    assertThat(world.of("batch").preemptions()).isPositive();
  }

  @Test
  void theSameLoadGivesTheSameFigures() {
    SimulationResult first = streams(GOAL).run();
    SimulationResult second = streams(GOAL).run();
    assertThat(second.endNanos()).isEqualTo(first.endNanos());
    assertThat(second.itl().percentile(99)).isEqualTo(first.itl().percentile(99));
  }

  private static double goodput(double perSecond) {
    long end = 180 * SECOND;
    World world = World.fair().maxWaiting(200);
    for (long time : world.poisson(perSecond, end)) {
      world.add(time, 256, 32, 2 * SECOND, 20 * SECOND);
    }
    SimulationResult result = world.run();
    assertThat(result.mostWaiting()).isLessThanOrEqualTo(200);
    assertThat(result.withoutRetryDelay()).isZero();
    assertThat(result.completed() + result.failed()).isEqualTo(result.arrived());
    return (double) result.good() * SECOND / end;
  }
}
