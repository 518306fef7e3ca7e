package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.worker.engine.ModelRunner.Geometry;
import dev.sluice.worker.runner.SimulatedModelRunner;
import dev.sluice.worker.runner.SimulatedModelRunner.StepHook;
import dev.sluice.worker.sampling.Penalties;
import dev.sluice.worker.sampling.SamplingParams;
import dev.sluice.worker.sampling.TokenLogprob;
import dev.sluice.worker.sampling.TokenRules;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** What a choice is made of, through the whole engine. */
class DecodingProperties {
  private static final int VOCABULARY = 40;
  private static final int CONTEXT = 160;

  private static List<Recorder> run(int budget, int chunk, List<GenerationTask> tasks)
      throws Exception {
    // so few blocks that requests preempt each other
    Geometry geometry = new Geometry(VOCABULARY, CONTEXT, 4, 60, budget, 6);
    EngineConfig config = new EngineConfig(1000, 1 << 20, chunk, Duration.ofSeconds(1), true);
    List<Recorder> recorders = new ArrayList<>();
    try (SimulatedModelRunner runner = new SimulatedModelRunner(geometry, StepHook.NONE)) {
      Engine engine = new Engine(runner, config, NanoClock.SYSTEM, EngineObserver.NONE);
      for (GenerationTask task : tasks) {
        recorders.add(new Recorder());
        engine.submit(task, recorders.getLast());
      }
      engine.start();
      for (Recorder recorder : recorders) {
        assertThat(recorder.await().refusal()).isEmpty();
        assertThat(recorder.violations).isEmpty();
      }
      assertThat(engine.close(Duration.ofSeconds(10))).isTrue();
      assertThat(engine.snapshot().ownedBlocks()).isZero();
    }
    return recorders;
  }

  /** A random task; the same random numbers give the same one. */
  private static GenerationTask task(
      int serial, long seed, UnaryOperator<GenerationTask.Builder> more) {
    Random random = new Random(seed + serial);
    int[] prompt = random.ints(1 + random.nextInt(100), 0, VOCABULARY).toArray();
    GenerationTask.Builder task =
        GenerationTask.builder("r" + serial, prompt)
            .maxTokens(1 + random.nextInt(CONTEXT - prompt.length))
            .minTokens(random.nextInt(8))
            .eosTokenIds(1, 2)
            .ignoreEos(random.nextInt(3) == 0)
            .stopTokenIds(3);
    SamplingParams sampling =
        new SamplingParams(random.nextInt(4) * 0.4f, random.nextInt(30), 0.9f, random.nextLong());
    sampling = random.nextBoolean() ? EngineProperties.more(sampling, random) : sampling;
    // without them a task seldom goes on for long
    sampling =
        random.nextBoolean()
            ? sampling.withRules(new TokenRules(Map.of(), new int[0], new int[] {1, 2, 3}))
            : sampling;
    return more.apply(task.sampling(sampling)).build();
  }

  /** Log-probabilities against the definition, whatever chunks, preemption and penalties do. */
  @Property(tries = 30, seed = "1")
  void logprobsAreTheModelsOwn(
      @ForAll @IntRange(min = 1, max = 150) int budget,
      @ForAll @IntRange(min = 1, max = 150) int chunk,
      @ForAll @IntRange(min = 0, max = 20) int top,
      @ForAll long seed)
      throws Exception {
    List<GenerationTask> tasks =
        IntStream.range(0, 6)
            .mapToObj(i ->
                task(i, seed, t -> i % 3 == 0 ? t : t.outputLogprobs(top).promptLogprobs(20 - top)))
            .toList();
    List<Recorder> recorders = run(budget, chunk, tasks);
    for (int i = 0; i < tasks.size(); i++) {
      GenerationTask task = tasks.get(i);
      Recorder recorder = recorders.get(i);
      if (i % 3 == 0) {
        assertThat(recorder.logprobs).isEmpty();
        assertThat(recorder.promptLogprobs).isEmpty();
        continue;
      }
      int[] all =
          IntStream.concat(
                  IntStream.of(task.promptTokens()),
                  recorder.tokens.stream().mapToInt(Integer::intValue))
              .toArray();
      float[][] logits = Reference.logits(all, VOCABULARY);
      assertThat(recorder.promptLogprobs).hasSize(task.promptLength() - 1);
      assertThat(recorder.logprobs).hasSize(recorder.tokens.size());
      for (int position = 1; position < all.length; position++) {
        boolean inPrompt = position < task.promptLength();
        TokenLogprob logprob =
            inPrompt
                ? recorder.promptLogprobs.get(position - 1)
                : recorder.logprobs.get(position - task.promptLength());
        assertThat(logprob.tokenId()).isEqualTo(all[position]);
        verify(logprob, logits[position - 1], inPrompt ? 20 - top : top);
      }
    }
  }

  private static void verify(TokenLogprob logprob, float[] logits, int top) {
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit);
    }
    double logSum = Math.log(sum);
    List<Integer> ranked =
        IntStream.range(0, logits.length)
            .boxed()
            .sorted((a, b) -> Float.compare(logits[b], logits[a]))
            .toList();
    assertThat((double) logprob.logprob())
        .isCloseTo(logits[logprob.tokenId()] - logSum, within(1e-5));
    assertThat(logprob.rank()).isEqualTo(ranked.indexOf(logprob.tokenId()) + 1);
    assertThat(logprob.topCount()).isEqualTo(top);
    for (int i = 0; i < top; i++) {
      assertThat(logprob.topToken(i)).isEqualTo(ranked.get(i));
      assertThat((double) logprob.topLogprob(i))
          .isCloseTo(logits[ranked.get(i)] - logSum, within(1e-5));
    }
  }

  /** A choice that was cut anywhere goes on, on an engine that never saw it, as if it had not. */
  @Property(tries = 60, seed = "1")
  void aCutMakesNoDifference(@ForAll @IntRange(min = 1, max = 150) int budget, @ForAll long seed)
      throws Exception {
    UnaryOperator<GenerationTask.Builder> scored = t -> t.outputLogprobs(2);
    List<GenerationTask> tasks = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      tasks.add(task(i, seed, scored));
    }
    List<Recorder> uncut = run(150, 150, tasks);
    List<GenerationTask> resumed = new ArrayList<>();
    int[] cuts = new int[tasks.size()];
    Random random = new Random(seed);
    for (int i = 0; i < tasks.size(); i++) {
      cuts[i] = random.nextInt(uncut.get(i).tokens.size() + 1);
      int[] tokens =
          uncut.get(i).tokens.stream().limit(cuts[i]).mapToInt(Integer::intValue).toArray();
      resumed.add(task(i, seed, t -> scored.apply(t).resume(0, tokens, false)));
    }
    List<Recorder> rest = run(budget, 7, resumed);
    for (int i = 0; i < tasks.size(); i++) {
      List<Integer> tokens = uncut.get(i).tokens;
      assertThat(rest.get(i).tokens).isEqualTo(tokens.subList(cuts[i], tokens.size()));
      assertThat(rest.get(i).await().cause()).isEqualTo(uncut.get(i).await().cause());
      assertThat(rest.get(i).await().summary().outputTokens()).isEqualTo(tokens.size());
      assertThat(rest.get(i).logprobs)
          .extracting(TokenLogprob::logprob)
          .isEqualTo(
              uncut.get(i).logprobs.stream().skip(cuts[i]).map(TokenLogprob::logprob).toList());
    }
  }

  /** A choice that had ended elsewhere ends without a word. */
  @Property(tries = 10, seed = "1")
  void nothingIsHeardOfAFinishedChoice(@ForAll long seed) throws Exception {
    GenerationTask task = task(0, seed, t -> t.resume(0, new int[] {9}, true));
    Geometry geometry = new Geometry(VOCABULARY, CONTEXT, 4, 60, 20, 6);
    try (SimulatedModelRunner runner = new SimulatedModelRunner(geometry, StepHook.NONE)) {
      Engine engine =
          new Engine(runner, EngineConfig.defaults(), NanoClock.SYSTEM, EngineObserver.NONE);
      Recorder recorder =
          new Recorder() {
            @Override
            public void onChoiceFinished(int choice, FinishCause cause) {
              throw new AssertionError("told of the end");
            }

            @Override
            public void onComplete(GenerationSummary summary) {
              super.onChoiceFinished(0, new FinishCause.Stopped()); // as a recorder wants it
              super.onComplete(summary);
            }
          };
      engine.submit(task, recorder);
      engine.start();
      assertThat(recorder.await().refusal()).isEmpty();
      assertThat(recorder.tokens).isEmpty();
      assertThat(engine.close(Duration.ofSeconds(10))).isTrue();
    }
  }

  /** Bias, bans and penalties do what they say, seen from outside. */
  @Property(tries = 10, seed = "1")
  void strongPenaltiesForbidRepetition(@ForAll long seed) throws Exception {
    Random random = new Random(seed);
    int[] prompt = random.ints(5, 0, VOCABULARY).toArray();
    SamplingParams once =
        new SamplingParams(1, 0, 1, seed).withPenalties(new Penalties(1, 0, 1000));
    GenerationTask task =
        GenerationTask.builder("once", prompt).maxTokens(VOCABULARY).sampling(once).build();
    assertThat(run(50, 50, List.of(task)).getFirst().tokens).doesNotHaveDuplicates();
  }
}
