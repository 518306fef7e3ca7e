package dev.sluice.worker.runner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.common.error.Refusal;
import dev.sluice.worker.engine.Engine;
import dev.sluice.worker.engine.EngineConfig;
import dev.sluice.worker.engine.EngineObserver;
import dev.sluice.worker.engine.FinishCause;
import dev.sluice.worker.engine.GenerationListener;
import dev.sluice.worker.engine.GenerationSummary;
import dev.sluice.worker.engine.GenerationTask;
import dev.sluice.worker.engine.NanoClock;
import dev.sluice.worker.engine.PrefillSummary;
import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.KvType;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.Checkpoints;
import dev.sluice.worker.model.TestModel;
import dev.sluice.worker.sampling.SamplingParams;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The tokens of a request, greedy or seeded, are the same whatever else the engine does: the
 * product's promise, on the real model in float32, with the real scheduler.
 */
final class EngineInvarianceTest {
  private static final int OTHERS = 32;
  private static final int EOS = 2;

  private static OrtModelRunner runner;
  private static List<GenerationTask> tasks;
  private static List<List<Integer>> alone;

  @BeforeAll
  static void runEveryPromptAlone() {
    runner = load(256);
    Golden golden = Golden.load();
    tasks = new ArrayList<>();
    for (Golden.Greedy g : golden.greedy()) {
      tasks.add(task(g, new SamplingParams(0, 0, 1, 0)));
      tasks.add(task(g, new SamplingParams(0.9f, 40, 0.95f, 1234)));
    }
    alone = new ArrayList<>();
    try (Running engine = new Running(runner, Integer.MAX_VALUE)) {
      for (GenerationTask task : tasks) {
        alone.add(engine.submit(task).join());
      }
    }
  }

  @AfterAll
  static void close() {
    runner.close();
  }

  @Test
  void amongOthers() {
    try (Running engine = new Running(runner, Integer.MAX_VALUE)) {
      assertThat(engine.all(OTHERS)).isEqualTo(alone);
    }
  }

  @Test
  void inChunksOfSevenTokens() {
    try (Running engine = new Running(runner, 7)) {
      assertThat(engine.all(0)).isEqualTo(alone);
    }
  }

  @Test
  void underPreemption() {
    try (OrtModelRunner tight = load(24);
        Running engine = new Running(tight, Integer.MAX_VALUE)) {
      assertThat(engine.all(0)).isEqualTo(alone);
      engine.end(); // so that the snapshot is the last one
      assertThat(engine.engine.snapshot().preemptions()).isPositive();
      assertThat(engine.engine.snapshot().ownedBlocks()).isZero();
    }
  }

  /** The second time all but a prompt's last tokens are found. */
  @Test
  void fromThePrefixCache() {
    try (Running engine = new Running(runner, Integer.MAX_VALUE)) {
      assertThat(engine.all(0)).isEqualTo(alone);
      assertThat(engine.all(0)).isEqualTo(alone);
    }
  }

  @Test
  void withSpeculation() {
    try (Running engine = new Running(runner, Integer.MAX_VALUE, 8)) {
      for (int i = 0; i < tasks.size(); i++) {
        assertThat(engine.submit(tasks.get(i)).join()).isEqualTo(alone.get(i));
      }
      assertThat(engine.all(0)).isEqualTo(alone);
      engine.end();
      assertThat(engine.engine.snapshot().acceptedDraftTokens()).isPositive();
    }
  }

  /** The first choice of several is what it is alone, and forks write to copies of its blocks. */
  @Test
  void amongOtherChoicesOfItsPrompt() {
    try (Running engine = new Running(runner, Integer.MAX_VALUE)) {
      for (int i = 0; i < tasks.size(); i++) {
        GenerationTask task = tasks.get(i);
        GenerationTask several =
            GenerationTask.builder(task.requestId(), task.promptTokens())
                .choices(4)
                .maxTokens(task.maxTokens().orElseThrow())
                .eosTokenIds(EOS)
                .sampling(task.sampling())
                .build();
        assertThat(engine.submit(several).join()).isEqualTo(alone.get(i));
      }
    }
  }

  private static GenerationTask task(Golden.Greedy golden, SamplingParams sampling) {
    return GenerationTask.builder(golden.name(), golden.prompt())
        .maxTokens(golden.tokens().length)
        .eosTokenIds(EOS)
        .sampling(sampling)
        .build();
  }

  private static OrtModelRunner load(int blocks) {
    try (Checkpoint checkpoint = Checkpoints.open(TestModel.path())) {
      long blockBytes = 16L * 2 * 30 * 3 * 64 * 4; // tokens, K and V, layers, heads, floats
      return OrtModelRunner.load(
          checkpoint,
          new OrtModelRunnerConfig(
              Quantization.NONE, KvType.FLOAT32, 2, blocks * blockBytes, 16, 2048, 256, 64));
    }
  }

  /** An engine that is closed, not its runner. */
  private static final class Running implements AutoCloseable {
    private final Engine engine;

    Running(OrtModelRunner runner, int prefillChunk) {
      this(runner, prefillChunk, 0);
    }

    Running(OrtModelRunner runner, int prefillChunk, int draftTokens) {
      engine =
          new Engine(
              runner,
              new EngineConfig(1024, 1 << 20, prefillChunk, Duration.ofSeconds(1), true)
                  .withDraftTokens(draftTokens),
              NanoClock.SYSTEM,
              EngineObserver.NONE);
      engine.start();
    }

    CompletableFuture<List<Integer>> submit(GenerationTask task) {
      Tokens tokens = new Tokens();
      engine.submit(task, tokens);
      return tokens.done;
    }

    /** The tokens of all tasks, run together with others that differ from them. */
    List<List<Integer>> all(int others) {
      List<CompletableFuture<List<Integer>>> running = new ArrayList<>();
      for (int i = 0; i < others; i++) {
        int[] prompt = {1000 + i, 2000 + i, 3000 + 7 * i};
        running.add(submit(GenerationTask.builder("other-" + i, prompt).maxTokens(20 + i).build()));
      }
      List<CompletableFuture<List<Integer>>> results = tasks.stream().map(this::submit).toList();
      running.forEach(CompletableFuture::join);
      return results.stream().map(CompletableFuture::join).toList();
    }

    @Override
    public void close() {
      end();
    }

    void end() {
      try {
        assertThat(engine.close(Duration.ofSeconds(30))).isTrue();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  /** Gathers the tokens of one task. */
  private static final class Tokens implements GenerationListener {
    private final List<Integer> tokens = new ArrayList<>();
    private final CompletableFuture<List<Integer>> done = new CompletableFuture<>();

    @Override
    public void onPrefilled(PrefillSummary prefill) {}

    @Override
    public void onToken(int choice, int tokenId, boolean ending, long nanos) {
      tokens.add(tokenId);
    }

    @Override
    public void onChoiceFinished(int choice, FinishCause cause) {}

    @Override
    public void onComplete(GenerationSummary summary) {
      done.complete(tokens);
    }

    @Override
    public void onFailed(Refusal refusal, GenerationSummary summary) {
      done.completeExceptionally(new AssertionError(refusal.message()));
    }
  }
}
