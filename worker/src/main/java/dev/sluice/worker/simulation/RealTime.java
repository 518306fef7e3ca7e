package dev.sluice.worker.simulation;

import dev.sluice.worker.engine.StepBatch;
import dev.sluice.worker.runner.SimulatedModelRunner.StepHook;
import java.util.concurrent.locks.LockSupport;

/**
 * Lets a simulated step take the time that its cost model says, the engine's own work between two
 * steps included, so that streams keep their pace however busy this machine is.
 *
 * <p>Threading: the engine thread.
 */
final class RealTime implements StepHook {
  /** A step that begins this much later than the one before has ended makes up for it. */
  private static final long SLACK_NANOS = 20_000_000;

  private final CostModel cost;
  private long dueNanos = System.nanoTime();

  RealTime(CostModel cost) {
    this.cost = cost;
  }

  @Override
  public void onStep(StepBatch batch) {
    long now = System.nanoTime();
    long begin = now - dueNanos > SLACK_NANOS ? now : dueNanos;
    dueNanos = begin + Math.round(cost.nanos(batch));
    for (long left = dueNanos - now; left > 0; left = dueNanos - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }
}
