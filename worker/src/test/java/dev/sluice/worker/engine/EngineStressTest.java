package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.worker.engine.ModelRunner.Geometry;
import dev.sluice.worker.runner.SimulatedModelRunner;
import dev.sluice.worker.runner.SimulatedModelRunner.StepHook;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class EngineStressTest {
  private static final int CALLERS = 8;
  private static final int REQUESTS_PER_CALLER = 125;

  private final List<Recorder> taken = Collections.synchronizedList(new ArrayList<>());
  private final AtomicInteger refused = new AtomicInteger();

  /** Random lengths, cancels, stops and deadlines from many threads; a pool for two or three. */
  @Test
  void aThousandRequestsAllEndAndNothingLeaks() throws Exception {
    Geometry geometry = new Geometry(40, 96, 4, 60, 48, 16);
    EngineConfig config = new EngineConfig(900, 50_000, 16, Duration.ofSeconds(1), true);
    try (SimulatedModelRunner runner = new SimulatedModelRunner(geometry, StepHook.NONE);
        ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      Engine engine = new Engine(runner, config, NanoClock.SYSTEM, EngineObserver.NONE);
      engine.start();
      List<Future<?>> calls = new ArrayList<>();
      for (int caller = 0; caller < CALLERS; caller++) {
        Random random = new Random(caller);
        calls.add(callers.submit(() -> call(engine, random)));
      }
      for (Future<?> call : calls) {
        call.get();
      }
      int completed = 0;
      for (Recorder recorder : taken) {
        Recorder.Outcome outcome = recorder.await();
        assertThat(recorder.violations).isEmpty();
        assertThat(outcome.summary().outputTokens()).isLessThanOrEqualTo(outcome.tokens().size());
        if (outcome.refusal().isEmpty()) {
          completed++;
        } else {
          assertThat(outcome.refusal().get())
              .isInstanceOfAny(
                  Refusal.Cancelled.class,
                  Refusal.DeadlineExceeded.class,
                  Refusal.Overloaded.class); // its deadline is predicted to pass
        }
      }
      assertThat(taken.size() + refused.get()).isEqualTo(CALLERS * REQUESTS_PER_CALLER);
      assertThat(completed).isGreaterThan(200);
      assertThat(engine.close(Duration.ofSeconds(10))).isTrue();
      EngineSnapshot snapshot = engine.snapshot();
      assertThat(snapshot.state()).isEqualTo(EngineSnapshot.State.STOPPED);
      assertThat(snapshot.ownedBlocks()).isZero();
      assertThat(snapshot.freeBlocks() + snapshot.cachedBlocks()).isEqualTo(60);
      assertThat(snapshot.waitingRequests() + snapshot.runningRequests()).isZero();
      assertThat(snapshot.preemptions()).isPositive();
      assertThat(snapshot.cancelled()).isPositive();
    }
  }

  private int call(Engine engine, Random random) throws Exception {
    List<TaskHandle> handles = new ArrayList<>();
    for (int i = 0; i < REQUESTS_PER_CALLER; i++) {
      Recorder recorder = new Recorder();
      try {
        handles.add(engine.submit(task(i, random), recorder));
        taken.add(recorder);
      } catch (RefusalException _) {
        refused.incrementAndGet(); // its deadline had passed, or the queue was full
        continue;
      }
      if (random.nextInt(3) == 0) {
        engine.cancel(handles.get(random.nextInt(handles.size())));
      }
      if (random.nextInt(8) == 0) {
        engine.stop(handles.get(random.nextInt(handles.size())), 0, random.nextInt(5));
      }
      if (random.nextInt(30) == 0) {
        recorder.await();
      }
    }
    return handles.size();
  }

  private static GenerationTask task(int serial, Random random) {
    int[] prompt = random.ints(1 + random.nextInt(60), 0, 40).toArray();
    GenerationTask.Builder task = GenerationTask.builder("r" + serial, prompt);
    if (random.nextInt(3) > 0) {
      task.maxTokens(1 + random.nextInt(96 - prompt.length));
    }
    if (random.nextInt(4) == 0) {
      task.eosTokenIds(1, 2);
    }
    if (random.nextInt(10) == 0) {
      task.deadlineNanos(System.nanoTime() + random.nextInt(20_000_000));
    }
    return task.build();
  }
}
