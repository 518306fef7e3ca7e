package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.common.error.Refusal;
import dev.sluice.worker.engine.ModelRunner.Geometry;
import dev.sluice.worker.runner.AllocationMeter;
import dev.sluice.worker.runner.SimulatedModelRunner;
import dev.sluice.worker.sampling.SamplingParams;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("own-jvm")
class EngineAllocationTest {
  private static final int SEQUENCES = 32;
  private static final int ROUNDS = 30;
  // a snapshot is about 150 bytes; 8 bytes per token would be 256 more
  private static final double BYTES_PER_STEP = 250;

  /** Counts completions and keeps nothing. */
  private record Counter(CountDownLatch done) implements GenerationListener {
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
  }

  /** Steps of 32 sequences each, greedy and sampled in every way. */
  @Test
  void aDecodeStepAllocatesItsSnapshotAndNothingPerToken() throws Exception {
    Geometry geometry = new Geometry(200, 1100, 16, 2500, 64, SEQUENCES);
    AllocationMeter meter = new AllocationMeter(SEQUENCES);
    try (SimulatedModelRunner runner = new SimulatedModelRunner(geometry, meter)) {
      Engine engine =
          new Engine(runner, EngineConfig.defaults(), NanoClock.SYSTEM, EngineObserver.NONE);
      engine.start();
      for (int round = 0; round < ROUNDS && meter.leastPerStep() > BYTES_PER_STEP; round++) {
        CountDownLatch done = new CountDownLatch(SEQUENCES);
        for (int i = 0; i < SEQUENCES; i++) {
          engine.submit(task(i), new Counter(done));
        }
        assertThat(done.await(60, TimeUnit.SECONDS)).isTrue();
      }
      assertThat(engine.close(Duration.ofSeconds(10))).isTrue();
    }
    assertThat(meter.leastPerStep()).isBetween(1.0, BYTES_PER_STEP);
  }

  private static GenerationTask task(int i) {
    SamplingParams sampling =
        new SamplingParams(i % 2, i % 4 == 1 ? 20 : 0, i % 8 < 4 ? 1 : 0.9f, i);
    return GenerationTask.builder("r" + i, 1, 2, 3)
        .maxTokens(1050)
        .minTokens(10)
        .eosTokenIds(5)
        .ignoreEos(true)
        .deadlineNanos(System.nanoTime() + Duration.ofHours(1).toNanos())
        .sampling(sampling)
        .build();
  }
}
