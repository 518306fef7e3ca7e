package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.common.error.Refusal;
import dev.sluice.worker.engine.ModelRunner.Geometry;
import dev.sluice.worker.runner.SimulatedModelRunner;
import dev.sluice.worker.runner.SimulatedModelRunner.StepHook;
import dev.sluice.worker.sampling.Penalties;
import dev.sluice.worker.sampling.SamplingParams;
import dev.sluice.worker.sampling.TokenRules;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class EngineProperties {
  private static final int VOCABULARY = 40;
  private static final int CONTEXT = 96;

  /** Whatever else is in the batch, and however prompts are cut and blocks taken away. */
  @Property(tries = 150, seed = "1")
  void outputIsThatOfATaskAlone(
      @ForAll @IntRange(min = 1, max = 40) int budget,
      @ForAll @IntRange(min = 1, max = 12) int rows,
      @ForAll @IntRange(min = 1, max = 16) int chunk,
      @ForAll @IntRange(min = 1, max = 9) int blockSize,
      @ForAll @IntRange(min = 0, max = 40) int extraBlocks,
      @ForAll @IntRange(min = 0, max = 40) int failEvery,
      @ForAll boolean prefixCache,
      @ForAll long seed)
      throws Exception {
    int blocks = Math.ceilDiv(CONTEXT, blockSize) + extraBlocks;
    Geometry geometry = new Geometry(VOCABULARY, CONTEXT, blockSize, blocks, budget, rows);
    int[] calls = {0};
    StepHook failing =
        _ -> {
          // never twice in a row
          if (failEvery > 1 && ++calls[0] % failEvery == 0) {
            throw new ModelRunnerException("as told", new IllegalStateException());
          }
        };
    Random random = new Random(seed);
    List<GenerationTask> tasks = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      tasks.add(task(i, random));
    }
    List<Recorder> recorders = new ArrayList<>();
    List<Boolean> cancelled = new ArrayList<>();
    EngineConfig config =
        new EngineConfig(1000, 1 << 20, chunk, Duration.ofSeconds(1), true)
            .withPrefixCache(prefixCache);
    try (SimulatedModelRunner runner = new SimulatedModelRunner(geometry, failing)) {
      Engine engine = new Engine(runner, config, NanoClock.SYSTEM, EngineObserver.NONE);
      for (int i = 0; i < tasks.size(); i++) {
        if (i == tasks.size() / 2) {
          engine.start(); // half of them arrive while it runs
        }
        cancelled.add(random.nextInt(5) == 0);
        int cancelAfter = cancelled.getLast() ? random.nextInt(10) : Integer.MAX_VALUE;
        CompletableFuture<TaskHandle> handle = new CompletableFuture<>();
        recorders.add(
            new Recorder() {
              @Override
              public void onToken(int choice, int tokenId, boolean ending, long nanos) {
                super.onToken(choice, tokenId, ending, nanos);
                if (tokens.size() == cancelAfter) {
                  engine.cancel(handle.join());
                }
              }
            });
        handle.complete(engine.submit(tasks.get(i), recorders.getLast()));
        if (cancelAfter == 0) {
          engine.cancel(handle.join());
        }
      }
      for (int i = 0; i < tasks.size(); i++) {
        verify(tasks.get(i), recorders.get(i), cancelled.get(i));
      }
      assertThat(engine.close(Duration.ofSeconds(10))).isTrue();
      EngineSnapshot snapshot = engine.snapshot();
      assertThat(snapshot.state()).isEqualTo(EngineSnapshot.State.STOPPED);
      assertThat(snapshot.ownedBlocks()).isZero();
      assertThat(snapshot.freeBlocks() + snapshot.cachedBlocks()).isEqualTo(blocks);
      assertThat(snapshot.waitingRequests() + snapshot.runningRequests()).isZero();
      assertThat(snapshot.pendingPrefillTokens()).isZero();
    }
  }

  private static void verify(GenerationTask task, Recorder recorder, boolean cancelled)
      throws Exception {
    Recorder.Outcome outcome = recorder.await();
    assertThat(recorder.violations).isEmpty();
    int limit = task.maxTokens().orElse(CONTEXT - task.promptLength());
    List<Integer> expected = Reference.output(task, limit, VOCABULARY);
    if (outcome.refusal().isPresent()) {
      assertThat(cancelled).as("%s", outcome.refusal()).isTrue();
      assertThat(outcome.refusal().get()).isInstanceOf(Refusal.Cancelled.class);
      assertThat(outcome.tokens()).isEqualTo(expected.subList(0, outcome.tokens().size()));
    } else {
      assertThat(outcome.tokens()).isEqualTo(expected);
    }
    assertThat(outcome.summary().outputTokens()).isEqualTo(outcome.tokens().size());
  }

  /** Some of the other parameters, too. */
  static SamplingParams more(SamplingParams sampling, Random random) {
    Map<Integer, Float> bias = new HashMap<>();
    random.ints(4, 0, VOCABULARY).forEach(token -> bias.put(token, 4 * random.nextFloat() - 2));
    return sampling
        .withMinP(random.nextBoolean() ? 0 : random.nextFloat() / 4)
        .withTypicalP(random.nextBoolean() ? 1 : 0.3f + random.nextFloat() / 2)
        .withPenalties(
            new Penalties(
                0.5f + random.nextFloat(), random.nextFloat() - 0.5f, random.nextFloat() - 0.5f))
        .withRules(
            new TokenRules(
                bias,
                random.nextBoolean() ? new int[0] : random.ints(20, 4, VOCABULARY).toArray(),
                random.ints(3, 0, 10).toArray()));
  }

  static GenerationTask task(int serial, Random random) {
    int[] prompt = random.ints(1 + random.nextInt(50), 0, VOCABULARY).toArray();
    Arrays.fill(prompt, 0, random.nextInt(prompt.length), 7); // many begin alike
    GenerationTask.Builder task =
        GenerationTask.builder("r" + serial, prompt)
            .minTokens(random.nextInt(4))
            .eosTokenIds(1, 2)
            .ignoreEos(random.nextInt(3) == 0)
            .stopTokenIds(3);
    if (random.nextBoolean()) {
      task.maxTokens(1 + random.nextInt(CONTEXT - prompt.length));
    }
    if (random.nextBoolean()) {
      float topP = random.nextBoolean() ? 1 : 0.3f + 0.6f * random.nextFloat();
      int topK = random.nextInt(VOCABULARY + 5);
      SamplingParams sampling =
          new SamplingParams(0.2f + random.nextFloat(), topK, topP, random.nextLong());
      task.sampling(random.nextBoolean() ? sampling : more(sampling, random));
    }
    return task.build();
  }
}
