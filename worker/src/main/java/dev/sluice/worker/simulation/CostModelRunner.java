package dev.sluice.worker.simulation;

import dev.sluice.worker.engine.ModelRunner;
import dev.sluice.worker.engine.StepBatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/**
 * Computes nothing: a step moves the clock on by what it costs. All logits are 0, so the next token
 * is always token 0 where sampling is greedy.
 *
 * <p>Threading: the simulation's thread. A step allocates nothing.
 */
public final class CostModelRunner implements ModelRunner {
  private final Geometry geometry;
  private final CostModel cost;
  private final VirtualClock clock;
  private final double noise;
  private final Random random;
  private final MemorySegment logits; // [maxBatchedTokens, vocabularySize]

  /**
   * @param noise standard deviation of the logarithm of a step's time, 0 for none
   * @param seed of the noise
   */
  public CostModelRunner(
      Geometry geometry, CostModel cost, VirtualClock clock, double noise, long seed) {
    this.geometry = geometry;
    this.cost = cost;
    this.clock = clock;
    this.noise = noise;
    this.random = new Random(seed);
    this.logits =
        Arena.ofAuto()
            .allocate(
                ValueLayout.JAVA_FLOAT,
                (long) geometry.maxBatchedTokens() * geometry.vocabularySize());
  }

  @Override
  public Geometry geometry() {
    return geometry;
  }

  @Override
  public boolean copiesBlocks() {
    return true;
  }

  @Override
  public void execute(StepBatch batch) {
    double factor = noise == 0 ? 1 : Math.exp(noise * random.nextGaussian() - noise * noise / 2);
    clock.advance(Math.round(cost.nanos(batch) * factor));
  }

  @Override
  public MemorySegment logits() {
    return logits;
  }

  @Override
  public void close() {}
}
