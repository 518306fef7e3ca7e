package dev.sluice.worker.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.worker.engine.Engine;
import dev.sluice.worker.engine.EngineConfig;
import dev.sluice.worker.engine.EngineObserver;
import dev.sluice.worker.engine.GenerationTask;
import dev.sluice.worker.runner.SimulatedModelRunner;
import dev.sluice.worker.simulation.VirtualClock;
import java.time.Duration;
import org.junit.jupiter.api.Test;

final class WatchdogTest {
  private final VirtualClock clock = new VirtualClock();
  private final Availability availability = new Availability();

  @Test
  void aStuckEngineIsNoticedUntilItGoesOn() throws Exception {
    try (SimulatedModelRunner runner =
        new SimulatedModelRunner(WorkerFixture.SMALL, SimulatedModelRunner.StepHook.NONE)) {
      Engine engine = new Engine(runner, EngineConfig.defaults(), clock, EngineObserver.NONE);
      try (Watchdog watchdog =
          new Watchdog(engine::snapshot, availability, Duration.ofSeconds(10), clock)) {
        passes(watchdog, 60);
        assertThat(availability.isStuck()).as("idle").isFalse();

        engine.submit(
            GenerationTask.builder("r", 1, 2, 3).maxTokens(2).build(), new Mailbox(() -> {}));
        passes(watchdog, 9);
        assertThat(availability.isStuck()).as("within the limit").isFalse();
        passes(watchdog, 2);
        assertThat(availability.isStuck()).as("beyond the limit").isTrue();

        engine.step();
        watchdog.check();
        assertThat(availability.isStuck()).as("goes on").isFalse();
      }
      assertThat(engine.close(Duration.ZERO)).isTrue();
    }
  }

  private void passes(Watchdog watchdog, int seconds) {
    for (int i = 0; i < seconds; i++) {
      clock.advance(Duration.ofSeconds(1).toNanos());
      watchdog.check();
    }
  }
}
