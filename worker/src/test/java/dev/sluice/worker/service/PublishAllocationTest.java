package dev.sluice.worker.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.worker.engine.Engine;
import dev.sluice.worker.engine.EngineConfig;
import dev.sluice.worker.engine.EngineObserver;
import dev.sluice.worker.engine.GenerationTask;
import dev.sluice.worker.engine.ModelRunner.Geometry;
import dev.sluice.worker.engine.NanoClock;
import dev.sluice.worker.runner.AllocationMeter;
import dev.sluice.worker.runner.SimulatedModelRunner;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the engine's thread allocates when it hands tokens to streams. */
@Tag("own-jvm")
class PublishAllocationTest {
  private static final int STREAMS = 32;
  private static final int TOKENS = 1000;
  private static final int ROUNDS = 30;
  private static final double BYTES_PER_STEP = 250;

  /**
   * Waking a stream is left out: the JDK allocates 24 bytes when it hands a virtual thread to its
   * pool.
   */
  @Test
  void tokensReachStreamsWithoutAllocation() throws Exception {
    Geometry geometry = new Geometry(200, 1100, 16, 2500, 64, STREAMS);
    AllocationMeter meter = new AllocationMeter(STREAMS);
    try (SimulatedModelRunner runner = new SimulatedModelRunner(geometry, meter)) {
      Engine engine =
          new Engine(runner, EngineConfig.defaults(), NanoClock.SYSTEM, EngineObserver.NONE);
      engine.start();
      for (int round = 0; round < ROUNDS && meter.leastPerStep() > BYTES_PER_STEP; round++) {
        Semaphore woken = new Semaphore(0);
        List<Mailbox> mailboxes = new ArrayList<>();
        for (int i = 0; i < STREAMS; i++) {
          Mailbox mailbox = new Mailbox(woken::release);
          mailboxes.add(mailbox);
          engine.submit(
              GenerationTask.builder("r" + i, 1, 2, 3).maxTokens(TOKENS).build(), mailbox);
        }
        // every token wakes once, and so does every end
        assertThat(woken.tryAcquire(STREAMS * (TOKENS + 1), 60, TimeUnit.SECONDS)).isTrue();
        for (Mailbox mailbox : mailboxes) {
          Mailbox.Batch batch = new Mailbox.Batch();
          mailbox.take(batch);
          assertThat(batch.count()).isEqualTo(TOKENS);
        }
      }
      assertThat(engine.close(Duration.ofSeconds(10))).isTrue();
    }
    assertThat(meter.leastPerStep()).isBetween(1.0, BYTES_PER_STEP);
  }
}
