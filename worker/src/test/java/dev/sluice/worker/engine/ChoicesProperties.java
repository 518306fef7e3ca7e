package dev.sluice.worker.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.worker.engine.ModelRunner.Geometry;
import dev.sluice.worker.runner.SimulatedModelRunner;
import dev.sluice.worker.sampling.SamplingParams;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Several choices of one prompt. */
class ChoicesProperties {
  private static final int VOCABULARY = 40;
  private static final int CONTEXT = 64;
  private static final Duration GRACE = Duration.ofSeconds(30);

  /** Each choice is what it would be alone, however tight the pool. */
  @Property(tries = 100, seed = "1")
  void everyChoiceIsThatOfATaskAlone(
      @ForAll @IntRange(min = 1, max = 40) int budget,
      @ForAll @IntRange(min = 5, max = 12) int rows,
      @ForAll @IntRange(min = 1, max = 9) int blockSize,
      @ForAll @IntRange(min = 0, max = 60) int extraBlocks,
      @ForAll boolean prefixCache,
      @ForAll long seed)
      throws Exception {
    int blocks = Math.ceilDiv(CONTEXT, blockSize) + 5 + extraBlocks;
    Geometry geometry = new Geometry(VOCABULARY, CONTEXT, blockSize, blocks, budget, rows);
    Random random = new Random(seed);
    EngineConfig config =
        new EngineConfig(1000, 1 << 20, 1 + random.nextInt(16), Duration.ofSeconds(1), true)
            .withPrefixCache(prefixCache)
            .withDraftTokens(random.nextInt(4));
    List<GenerationTask> tasks = new ArrayList<>();
    List<ChoicesRecorder> recorders = new ArrayList<>();
    try (SimulatedModelRunner runner =
        new SimulatedModelRunner(geometry, SimulatedModelRunner.StepHook.NONE)) {
      Engine engine = new Engine(runner, config, NanoClock.SYSTEM, EngineObserver.NONE);
      for (int i = 0; i < 10; i++) {
        GenerationTask task = task(i, random);
        ChoicesRecorder recorder = new ChoicesRecorder();
        try {
          engine.submit(task, recorder);
        } catch (RefusalException e) {
          assertThat(e.refusal()).isInstanceOf(Refusal.Unserviceable.class);
          continue;
        }
        tasks.add(task);
        recorders.add(recorder);
        if (tasks.size() == 5) {
          engine.start(); // the others come while it runs
        }
      }
      if (tasks.size() < 5) {
        engine.start();
      }
      for (int i = 0; i < tasks.size(); i++) {
        verify(tasks.get(i), recorders.get(i));
      }
      assertThat(engine.close(GRACE)).isTrue();
      EngineSnapshot snapshot = engine.snapshot();
      assertThat(snapshot.state()).isEqualTo(EngineSnapshot.State.STOPPED);
      assertThat(snapshot.ownedBlocks()).isZero();
      assertThat(snapshot.pendingPrefillTokens()).isZero();
    }
  }

  private static GenerationTask task(int serial, Random random) {
    int[] prompt = random.ints(1 + random.nextInt(30), 0, VOCABULARY).toArray();
    return GenerationTask.builder("r" + serial, prompt)
        .choices(1 + random.nextInt(5))
        .maxTokens(1 + random.nextInt(20))
        .eosTokenIds(1, 2)
        .sampling(new SamplingParams(1.5f, 0, 1, random.nextLong()))
        .build();
  }

  private static void verify(GenerationTask task, ChoicesRecorder recorder) throws Exception {
    ChoicesRecorder.Outcome outcome = recorder.await();
    assertThat(outcome.refusal()).isEmpty();
    int output = 0;
    for (int choice = 0; choice < task.choices(); choice++) {
      List<Integer> expected =
          Reference.output(task, choice, task.maxTokens().orElseThrow(), VOCABULARY);
      assertThat(recorder.tokens.get(choice)).as("choice %s", choice).isEqualTo(expected);
      output += expected.size();
    }
    assertThat(recorder.causes).hasSize(task.choices());
    assertThat(outcome.summary().outputTokens()).isEqualTo(output);
  }

  private static GenerationTask.Builder sixteen(int promptLength, int maxTokens) {
    return GenerationTask.builder("sixteen", new Random(1).ints(promptLength, 0, 40).toArray())
        .choices(16)
        .maxTokens(maxTokens)
        .sampling(new SamplingParams(1, 0, 1, 5));
  }

  @Example
  void sixteenChoicesNeedOnePrefillAndTheWorstCaseCountsThePromptOnce() throws Exception {
    // 6 full blocks and 16 times 2 for the end of the prompt and 9 output tokens
    Geometry geometry = new Geometry(VOCABULARY, CONTEXT * 3, 16, 6 + 16, 64, 16);
    AtomicLong computed = new AtomicLong();
    try (SimulatedModelRunner runner =
        new SimulatedModelRunner(geometry, batch -> computed.addAndGet(batch.tokens()))) {
      EngineConfig config = new EngineConfig(9, 1 << 20, 64, Duration.ofSeconds(1), true);
      Engine engine = new Engine(runner, config, NanoClock.SYSTEM, EngineObserver.NONE);
      engine.start();
      GenerationTask task = sixteen(103, 10).build();
      ChoicesRecorder recorder = new ChoicesRecorder();
      engine.submit(task, recorder);
      verify(task, recorder);
      assertThat(computed).hasValue(103 + 16 * 9);
      assertThat(requireNonNull(recorder.prefill).promptTokens()).isEqualTo(103);
      RefusalException refused =
          catchThrowableOfType(
              RefusalException.class,
              () -> engine.submit(sixteen(103, 11).build(), new ChoicesRecorder()));
      assertThat(refused.refusal())
          .isInstanceOfSatisfying(
              Refusal.Unserviceable.class,
              refusal -> assertThat(refusal.reason()).isEqualTo("EXCEEDS_KV_POOL"));
      assertThat(engine.close(GRACE)).isTrue();
      assertThat(engine.snapshot().ownedBlocks()).isZero();
    }
  }

  @Example
  void aChoiceThatIsStoppedLeavesTheOthersAlone() throws Exception {
    Geometry geometry = new Geometry(VOCABULARY, 300, 16, 60, 64, 4);
    try (SimulatedModelRunner runner =
        new SimulatedModelRunner(geometry, SimulatedModelRunner.StepHook.NONE)) {
      EngineConfig config = new EngineConfig(9, 1 << 20, 64, Duration.ofSeconds(1), true);
      Engine engine = new Engine(runner, config, NanoClock.SYSTEM, EngineObserver.NONE);
      CompletableFuture<TaskHandle> handle = new CompletableFuture<>();
      ChoicesRecorder recorder =
          new ChoicesRecorder() {
            @Override
            public void onToken(int choice, int tokenId, boolean ending, long nanos) {
              super.onToken(choice, tokenId, ending, nanos);
              if (choice == 1 && requireNonNull(tokens.get(1)).size() == 5) {
                engine.stop(handle.join(), 1, 3);
              }
            }
          };
      GenerationTask task =
          GenerationTask.builder("three", 1, 2, 3)
              .choices(3)
              .maxTokens(30)
              .sampling(new SamplingParams(1, 0, 1, 5))
              .build();
      handle.complete(engine.submit(task, recorder));
      engine.start();
      ChoicesRecorder.Outcome outcome = recorder.await();
      assertThat(recorder.causes.get(1)).isEqualTo(new FinishCause.Stopped());
      assertThat(recorder.tokens.get(1)).hasSize(5);
      assertThat(recorder.tokens.get(0)).isEqualTo(Reference.output(task, 0, 30, VOCABULARY));
      assertThat(recorder.tokens.get(2)).isEqualTo(Reference.output(task, 2, 30, VOCABULARY));
      assertThat(outcome.summary().outputTokens()).isEqualTo(63);
      assertThat(engine.close(GRACE)).isTrue();
    }
  }

  /** The first choice computes the prompt for all: another one goes on when it ends. */
  @Example
  void theFirstChoiceMayEndBeforeThePromptIsComputed() throws Exception {
    Geometry geometry = new Geometry(VOCABULARY, 300, 16, 60, 10, 4);
    CompletableFuture<TaskHandle> handle = new CompletableFuture<>();
    CompletableFuture<Engine> running = new CompletableFuture<>();
    AtomicLong steps = new AtomicLong();
    try (SimulatedModelRunner runner =
        new SimulatedModelRunner(
            geometry,
            _ -> {
              if (steps.incrementAndGet() == 3) {
                running.join().stop(handle.join(), 0, 0);
              }
            })) {
      EngineConfig config = new EngineConfig(9, 1 << 20, 64, Duration.ofSeconds(1), true);
      Engine engine = new Engine(runner, config, NanoClock.SYSTEM, EngineObserver.NONE);
      running.complete(engine);
      GenerationTask task = sixteen(100, 5).choices(3).build();
      ChoicesRecorder recorder = new ChoicesRecorder();
      handle.complete(engine.submit(task, recorder));
      engine.start();
      assertThat(recorder.await().refusal()).isEmpty();
      assertThat(recorder.tokens).doesNotContainKey(0);
      for (int choice = 1; choice < 3; choice++) {
        assertThat(recorder.tokens.get(choice))
            .isEqualTo(Reference.output(task, choice, 5, VOCABULARY));
      }
      assertThat(engine.close(GRACE)).isTrue();
      assertThat(engine.snapshot().ownedBlocks()).isZero();
    }
  }
}
