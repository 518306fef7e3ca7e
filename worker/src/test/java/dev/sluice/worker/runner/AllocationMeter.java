package dev.sluice.worker.runner;

import com.sun.management.ThreadMXBean;
import dev.sluice.worker.engine.StepBatch;
import dev.sluice.worker.runner.SimulatedModelRunner.StepHook;
import java.lang.management.ManagementFactory;

/**
 * Measures what the engine's thread allocates while it decodes. Finds the steps that allocated
 * least: those after everything was compiled.
 *
 * <p>Threading: called by the engine's thread, read by the test's.
 */
public final class AllocationMeter implements StepHook {
  private static final int WINDOW = 100; // steps

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final int sequences;
  private int decodeSteps;
  private long lastBytes;
  private volatile double leastPerStep = Double.MAX_VALUE;

  /**
   * @param sequences of the steps that count; each has one token
   */
  public AllocationMeter(int sequences) {
    this.sequences = sequences;
  }

  /** Bytes per step, in the best run of {@value #WINDOW} steps. */
  public double leastPerStep() {
    return leastPerStep;
  }

  @Override
  public void onStep(StepBatch batch) {
    if (batch.tokens() != sequences || batch.sequences() != sequences) {
      decodeSteps = 0;
      return;
    }
    if (decodeSteps++ % WINDOW == 0) {
      long bytes = threads.getCurrentThreadAllocatedBytes();
      if (decodeSteps > 1) {
        leastPerStep = Math.min(leastPerStep, (double) (bytes - lastBytes) / WINDOW);
      }
      lastBytes = bytes;
    }
  }
}
