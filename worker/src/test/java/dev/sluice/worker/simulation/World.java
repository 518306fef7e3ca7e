package dev.sluice.worker.simulation;

import dev.sluice.worker.engine.EngineConfig;
import dev.sluice.worker.engine.ModelRunner.Geometry;
import dev.sluice.worker.engine.SchedulingConfig;
import dev.sluice.worker.engine.SchedulingPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;

/** A simulated worker of the size of the default one, and load for it. */
final class World {
  static final long MILLI = 1_000_000;
  static final long SECOND = 1000 * MILLI;
  private static final double NOISE = 0.05;

  private final SplittableRandom random = new SplittableRandom(7);
  private final List<Arrival> arrivals = new ArrayList<>();
  private final Map<String, SimulationResult> tenants = new HashMap<>();
  private final SchedulingConfig scheduling;
  private int maxWaiting = 1000;

  World(SchedulingPolicy policy, Optional<Duration> itlGoal) {
    scheduling = new SchedulingConfig(policy, itlGoal, Duration.ofSeconds(30), Map.of());
  }

  static World fair() {
    return new World(SchedulingPolicy.FAIR, Optional.empty());
  }

  World maxWaiting(int requests) {
    maxWaiting = requests;
    return this;
  }

  void add(long nanos, String tenant, int input, int output) {
    arrivals.add(Arrival.of(nanos, prompt(input), output, tenant));
  }

  void addUrgent(long nanos, String tenant, int input, int output) {
    arrivals.add(
        new Arrival(
            nanos, prompt(input), output, tenant, 9, OptionalLong.empty(), OptionalLong.empty()));
  }

  void add(long nanos, int input, int output, long ttftTargetNanos, long timeoutNanos) {
    arrivals.add(
        new Arrival(
            nanos,
            prompt(input),
            output,
            "default",
            0,
            OptionalLong.of(ttftTargetNanos),
            OptionalLong.of(timeoutNanos)));
  }

  /** Times of a Poisson process up to an end. */
  List<Long> poisson(double perSecond, long endNanos) {
    List<Long> times = new ArrayList<>();
    double seconds = 0;
    while (true) {
      seconds -= Math.log(1 - random.nextDouble()) / perSecond;
      if (seconds * SECOND >= endNanos) {
        return times;
      }
      times.add((long) (seconds * SECOND));
    }
  }

  /** Runs all that was added. */
  SimulationResult run() {
    VirtualClock clock = new VirtualClock();
    Geometry geometry = new Geometry(Simulation.VOCABULARY, 8192, 16, 8192, 512, 64);
    CostModelRunner runner = new CostModelRunner(geometry, CostModel.CPU, clock, NOISE, 7);
    EngineConfig config =
        new EngineConfig(maxWaiting, 1 << 30, Integer.MAX_VALUE, Duration.ofSeconds(1), false, 1, 1)
            .with(scheduling);
    Simulation simulation =
        new Simulation(
            runner,
            clock,
            config,
            Long.MAX_VALUE,
            a -> tenants.computeIfAbsent(a.tenant(), _ -> new SimulationResult()));
    arrivals.sort(Comparator.comparingLong(Arrival::nanos));
    return simulation.run(arrivals.iterator(), () -> {});
  }

  /** What was measured of one tenant. */
  SimulationResult of(String tenant) {
    return Objects.requireNonNull(tenants.get(tenant));
  }

  private int[] prompt(int length) {
    int[] prompt = new int[length];
    for (int i = 0; i < length; i++) {
      prompt[i] = random.nextInt(Simulation.VOCABULARY);
    }
    return prompt;
  }
}
