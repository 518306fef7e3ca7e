package dev.sluice.worker.engine;

import dev.sluice.common.fair.FairQueue;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * Who is computed first, and how much at a time.
 *
 * @param policy in which order
 * @param itlGoal inter-token latency that running streams shall keep: a step computes only so many
 *     prompt tokens that it is predicted to take no longer, and at least a block of them; empty: as
 *     many as a step holds
 * @param ageing after this time a tenant of which nothing was begun gets one turn before all others
 * @param weights shares of tenants, above 0; a tenant that is not named has 1
 */
public record SchedulingConfig(
    SchedulingPolicy policy,
    Optional<Duration> itlGoal,
    Duration ageing,
    Map<String, Double> weights) {
  private static final String EVERYBODY = "";
  private static final int MAX_IDLE_TENANTS = 4096;

  public SchedulingConfig {
    itlGoal.ifPresent(goal -> checkPositive("itlGoal", goal));
    checkPositive("ageing", ageing);
    weights = Map.copyOf(weights);
    weights.forEach((tenant, weight) -> {
      if (!(weight > 0) || weight.isInfinite()) {
        throw new IllegalArgumentException(
            "weights: " + tenant + "=" + weight + " (expected: above 0)");
      }
    });
  }

  /** Fair, with equal shares, a turn after 30 s, and steps as large as the runner's. */
  public static SchedulingConfig defaults() {
    return new SchedulingConfig(
        SchedulingPolicy.FAIR, Optional.empty(), Duration.ofSeconds(30), Map.of());
  }

  /** These with another order. */
  public SchedulingConfig with(SchedulingPolicy newPolicy) {
    return new SchedulingConfig(newPolicy, itlGoal, ageing, weights);
  }

  /** These with a goal. */
  public SchedulingConfig withItlGoal(Duration goal) {
    return new SchedulingConfig(policy, Optional.of(goal), ageing, weights);
  }

  /** A queue for this policy; first come, first served is the fair order of one tenant. */
  public <T> FairQueue<T> newQueue() {
    return new FairQueue<>(isFair() ? ageing.toNanos() : Long.MAX_VALUE, MAX_IDLE_TENANTS);
  }

  /** Among whose tasks one stands in the queue. */
  public String tenant(GenerationTask task) {
    return isFair() ? task.tenant() : EVERYBODY;
  }

  /** In which class one stands in the queue. */
  public int priority(GenerationTask task) {
    return isFair() ? task.priority() : 0;
  }

  /** The share of those among whose tasks one stands in the queue. */
  public double weight(GenerationTask task) {
    return isFair() ? weights.getOrDefault(task.tenant(), 1.0) : 1;
  }

  /** Whether tenants, priorities and shares count. */
  boolean isFair() {
    return policy == SchedulingPolicy.FAIR;
  }

  private static void checkPositive(String name, Duration duration) {
    if (!duration.isPositive()) {
      throw new IllegalArgumentException(name + ": " + duration + " (expected: above 0)");
    }
  }
}
