package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.worker.engine.ModelRunner.Geometry;
import dev.sluice.worker.runner.SimulatedModelRunner;
import dev.sluice.worker.sampling.SamplingParams;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class SpeculationProperties {
  private static final Duration GRACE = Duration.ofSeconds(30);
  private static final int CONTEXT = 200;

  /** With few different tokens the latest ones often recur, and drafts are right by chance. */
  @Property(tries = 60, seed = "1")
  void outputIsTheSameAsWithoutIt(
      @ForAll @IntRange(min = 2, max = 5) int vocabulary,
      @ForAll @IntRange(min = 1, max = 16) int draftTokens,
      @ForAll @IntRange(min = 1, max = 60) int budget,
      @ForAll @IntRange(min = 3, max = 40) int rows,
      @ForAll @IntRange(min = 1, max = 9) int blockSize,
      @ForAll @IntRange(min = 0, max = 200) int extraTokens,
      @ForAll long seed)
      throws Exception {
    Random random = new Random(seed);
    int blocks = 3 + Math.ceilDiv(2 * CONTEXT + extraTokens, blockSize);
    Geometry geometry = new Geometry(vocabulary, CONTEXT, blockSize, blocks, budget, rows);
    EngineConfig config =
        new EngineConfig(1000, 1 << 20, 32, Duration.ofSeconds(1), true)
            .withDraftTokens(draftTokens)
            .withPrefixCache(random.nextBoolean());
    List<GenerationTask> tasks = new ArrayList<>();
    List<ChoicesRecorder> recorders = new ArrayList<>();
    try (SimulatedModelRunner runner =
        new SimulatedModelRunner(geometry, SimulatedModelRunner.StepHook.NONE)) {
      Engine engine = new Engine(runner, config, NanoClock.SYSTEM, EngineObserver.NONE);
      for (int i = 0; i < 4; i++) {
        tasks.add(task(i, vocabulary, random));
        recorders.add(new ChoicesRecorder());
        engine.submit(tasks.get(i), recorders.get(i));
      }
      engine.start();
      for (int i = 0; i < 4; i++) {
        GenerationTask task = tasks.get(i);
        assertThat(recorders.get(i).await().refusal()).isEmpty();
        for (int choice = 0; choice < task.choices(); choice++) {
          List<Integer> expected =
              Reference.output(task, choice, task.maxTokens().orElseThrow(), vocabulary);
          assertThat(recorders.get(i).tokens.get(choice)).isEqualTo(expected);
        }
      }
      assertThat(engine.close(GRACE)).isTrue();
      EngineSnapshot snapshot = engine.snapshot();
      assertThat(snapshot.state()).isEqualTo(EngineSnapshot.State.STOPPED);
      assertThat(snapshot.ownedBlocks()).isZero();
      assertThat(snapshot.acceptedDraftTokens()).isLessThanOrEqualTo(snapshot.draftTokens());
    }
  }

  private static GenerationTask task(int serial, int vocabulary, Random random) {
    int[] prompt = random.ints(1 + random.nextInt(60), 0, vocabulary).toArray();
    GenerationTask.Builder task =
        GenerationTask.builder("r" + serial, prompt)
            .choices(1 + random.nextInt(3))
            .minTokens(random.nextInt(30))
            .maxTokens(1 + random.nextInt(100))
            .sampling(new SamplingParams(random.nextInt(3), 0, 1, random.nextLong()));
    return (random.nextBoolean() ? task.eosTokenIds(1) : task).build();
  }

  /** A text that repeats itself takes fewer steps than it has tokens. */
  @Example
  void whatRepeatsItselfTakesFewSteps() throws Exception {
    Geometry geometry = new Geometry(50, 2000, 16, 200, 64, 32);
    AtomicInteger steps = new AtomicInteger();
    try (CyclicRunner runner = new CyclicRunner(geometry, steps)) {
      EngineConfig config =
          new EngineConfig(10, 1 << 20, 32, Duration.ofSeconds(1), true).withDraftTokens(8);
      // time stands still, so that what pays does not depend on the machine
      Engine engine = new Engine(runner, config, new FakeClock(0), EngineObserver.NONE);
      engine.start();
      Recorder recorder = new Recorder();
      engine.submit(GenerationTask.builder("cyclic", 0).maxTokens(500).build(), recorder);
      List<Integer> tokens = recorder.await().tokens();
      for (int i = 0; i < 500; i++) {
        assertThat(tokens.get(i)).isEqualTo((i + 1) % 10);
      }
      assertThat(engine.close(GRACE)).isTrue();
      assertThat(steps.get()).isLessThan(150);
      assertThat(engine.snapshot().acceptedDraftTokens()).isGreaterThan(350);
      assertThat(engine.snapshot().outputTokens()).isEqualTo(500);
    }
  }

  @Example
  void draftsThatAreAlwaysWrongSoonStop() {
    DraftAcceptance acceptance = new DraftAcceptance();
    for (int i = 0; i < 10; i++) {
      acceptance.observe(1, 0);
    }
    assertThat(acceptance.probability()).isLessThan(0.05);
    int tried = 0;
    for (int match = 0; match < 1000; match++) {
      if (acceptance.isDue()) {
        tried++;
        acceptance.observe(1, 0);
      }
    }
    assertThat(tried).isLessThan(10);
  }

  @Example
  void theLatestEarlierOccurrenceIsFound() {
    int[] tokens = new int[3000];
    Arrays.setAll(tokens, i -> i);
    NgramIndex index = new NgramIndex(10);
    assertThat(index.find(tokens, 2)).isZero();
    assertThat(index.find(tokens, 1000)).isZero();
    System.arraycopy(tokens, 500, tokens, 1000, 10);
    assertThat(index.find(tokens, 1002)).isZero();
    assertThat(index.find(tokens, 1003)).isEqualTo(503);
    System.arraycopy(tokens, 500, tokens, 1010, 10);
    assertThat(index.find(tokens, 1013)).isEqualTo(1003);
  }
}
