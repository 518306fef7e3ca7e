package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.sluice.common.error.Refusal;
import dev.sluice.worker.engine.ModelRunner.Geometry;
import dev.sluice.worker.runner.SimulatedModelRunner;
import dev.sluice.worker.sampling.SamplingParams;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class EngineAllocationTest {
  private static final int SEQUENCES = 16;
  private static final int FROM_STEP = 1500;
  private static final int STEPS = 500;

  private long allocatedBytes;
  private int step;

  /** Steps of 16 sequences each, greedy and sampled in every way. */
  @Test
  void aDecodeStepAllocatesItsSnapshotAndNothingPerToken() throws Exception {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Geometry geometry = new Geometry(200, 2100, 16, 3000, 64, SEQUENCES);
    CountDownLatch done = new CountDownLatch(SEQUENCES);
    SimulatedModelRunner.StepHook measure =
        _ -> {
          step++;
          if (step == FROM_STEP) {
            allocatedBytes -= threads.getCurrentThreadAllocatedBytes();
          } else if (step == FROM_STEP + STEPS) {
            allocatedBytes += threads.getCurrentThreadAllocatedBytes();
          }
        };
    GenerationListener listener =
        new GenerationListener() {
          @Override
          public void onPrefilled(PrefillSummary prefill) {}

          @Override
          public void onToken(int choice, int tokenId, boolean ending, long nanos) {}

          @Override
          public void onChoiceFinished(int choice, FinishCause cause) {}

          @Override
          public void onComplete(GenerationSummary summary) {
            done.countDown();
          }

          @Override
          public void onFailed(Refusal refusal, GenerationSummary summary) {}
        };
    try (SimulatedModelRunner runner = new SimulatedModelRunner(geometry, measure)) {
      Engine engine =
          new Engine(runner, EngineConfig.defaults(), NanoClock.SYSTEM, EngineObserver.NONE);
      for (int i = 0; i < SEQUENCES; i++) {
        SamplingParams sampling =
            new SamplingParams(i % 2, i % 4 == 1 ? 20 : 0, i % 8 < 4 ? 1 : 0.9f, i);
        engine.submit(
            GenerationTask.builder("r" + i, 1, 2, 3)
                .maxTokens(2050)
                .minTokens(10)
                .eosTokenIds(5)
                .ignoreEos(true)
                .stopTokenIds()
                .deadlineNanos(System.nanoTime() + Duration.ofHours(1).toNanos())
                .sampling(sampling)
                .build(),
            listener);
      }
      engine.start();
      done.await();
      assertThat(engine.close(Duration.ofSeconds(10))).isTrue();
    }
    // one snapshot of about 100 bytes per step; 16 bytes per token would show as 256 more
    assertThat(allocatedBytes).isPositive();
    assertThat((double) allocatedBytes / STEPS).isLessThan(200);
  }
}
