package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.worker.engine.ModelRunner.Geometry;
import dev.sluice.worker.runner.SimulatedModelRunner;
import dev.sluice.worker.runner.SimulatedModelRunner.StepHook;
import dev.sluice.worker.sampling.TokenLogprob;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Beam search through the whole engine, against one that computes every beam from its start. */
class BeamSearchProperties {
  private static final int VOCABULARY = 60;
  private static final int CONTEXT = 96;

  /** A beam in progress, or at its end. */
  private record Beam(List<Integer> output, double logprob) {
    Beam with(int token, double more) {
      List<Integer> longer = new ArrayList<>(output);
      longer.add(token);
      return new Beam(longer, logprob + more);
    }

    double score(float lengthPenalty) {
      return logprob / Math.pow(output.size(), lengthPenalty);
    }
  }

  /** The definition, written down as it is read: everything is computed and sorted. */
  private static List<Beam> reference(GenerationTask task, int maxTokens) {
    BeamParams params = task.beam().orElseThrow();
    List<Beam> beams = List.of(new Beam(List.of(), 0));
    List<Beam> ended = new ArrayList<>();
    for (int length = 1; ; length++) {
      List<Beam> continuations = new ArrayList<>();
      for (Beam beam : beams) {
        double[] logprobs = logprobs(task, beam);
        for (int token = 0; token < VOCABULARY; token++) {
          if (length > task.minTokens() || !task.endsChoice(token)) {
            continuations.add(beam.with(token, logprobs[token]));
          }
        }
      }
      continuations.sort(Comparator.comparingDouble(Beam::logprob).reversed());
      List<Beam> next = new ArrayList<>();
      for (int rank = 0; next.size() < params.width(); rank++) {
        Beam continuation = continuations.get(rank);
        if (!task.endsChoice(continuation.output().getLast())) {
          next.add(continuation);
        } else if (rank < params.width()) {
          add(ended, continuation, params);
        }
      }
      double attainable =
          continuations.getFirst().logprob() / Math.pow(length, params.lengthPenalty());
      boolean over =
          ended.size() == params.width()
              && (params.earlyStopping()
                  || ended.getLast().score(params.lengthPenalty()) >= attainable);
      if (!over && length == maxTokens) {
        next.forEach(beam -> add(ended, beam, params));
        over = true;
      }
      if (over) {
        return ended.subList(0, params.best());
      }
      beams = next;
    }
  }

  private static void add(List<Beam> ended, Beam beam, BeamParams params) {
    ended.add(beam);
    ended.sort(Comparator.<Beam>comparingDouble(b -> b.score(params.lengthPenalty())).reversed());
    if (ended.size() > params.width()) {
      ended.removeLast();
    }
  }

  private static double[] logprobs(GenerationTask task, Beam beam) {
    int[] tokens =
        IntStream.concat(
                IntStream.of(task.promptTokens()),
                beam.output().stream().mapToInt(Integer::intValue))
            .toArray();
    float[] logits = Reference.logits(tokens, VOCABULARY)[tokens.length - 1];
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit);
    }
    double[] logprobs = new double[VOCABULARY];
    for (int token = 0; token < VOCABULARY; token++) {
      logprobs[token] = logits[token] - Math.log(sum);
    }
    return logprobs;
  }

  /** Gathers the beams that are told. */
  private static final class Beams implements GenerationListener {
    private final List<List<Integer>> tokens = new ArrayList<>();
    private final List<List<TokenLogprob>> logprobs = new ArrayList<>();
    private final List<Double> scores = new ArrayList<>();
    private final List<FinishCause> causes = new ArrayList<>();
    private final CompletableFuture<GenerationSummary> done = new CompletableFuture<>();

    @Override
    public void onPrefilled(PrefillSummary prefill) {}

    @Override
    public void onLogprob(int choice, TokenLogprob logprob) {
      grow(choice);
      logprobs.get(choice).add(logprob);
    }

    @Override
    public void onToken(int choice, int tokenId, boolean ending, long nanos) {
      grow(choice);
      tokens.get(choice).add(tokenId);
    }

    private void grow(int choice) {
      if (tokens.size() == choice) {
        tokens.add(new ArrayList<>());
        logprobs.add(new ArrayList<>());
      }
    }

    @Override
    public void onScore(int choice, double score) {
      scores.add(score);
    }

    @Override
    public void onChoiceFinished(int choice, FinishCause cause) {
      causes.add(cause);
    }

    @Override
    public void onComplete(GenerationSummary summary) {
      done.complete(summary);
    }

    @Override
    public void onFailed(dev.sluice.common.error.Refusal refusal, GenerationSummary summary) {
      done.completeExceptionally(new AssertionError(refusal.toString()));
    }
  }

  private static GenerationTask task(Random random) {
    int width = 1 + random.nextInt(6);
    int[] prompt = random.ints(1 + random.nextInt(30), 0, VOCABULARY).toArray();
    GenerationTask.Builder task =
        GenerationTask.builder("beams", prompt)
            .eosTokenIds(random.ints(1 + random.nextInt(8), 0, VOCABULARY).distinct().toArray())
            .stopTokenIds(random.ints(random.nextInt(3), 0, VOCABULARY).toArray())
            .ignoreEos(random.nextInt(5) == 0)
            .minTokens(random.nextInt(5))
            .maxTokens(1 + random.nextInt(30))
            .beam(
                new BeamParams(
                    width,
                    1 + random.nextInt(width),
                    random.nextFloat() * 2 - 0.5f,
                    random.nextBoolean()));
    return (random.nextBoolean() ? task.outputLogprobs(random.nextInt(5)) : task).build();
  }

  @Property(tries = 40, seed = "1")
  void findsTheBeamsThatTheDefinitionFinds(
      @ForAll @IntRange(min = 1, max = 40) int budget,
      @ForAll @IntRange(min = 1, max = 9) int blockSize,
      @ForAll @IntRange(min = 0, max = 40) int extraBlocks,
      @ForAll long seed)
      throws Exception {
    Random random = new Random(seed);
    // room for the largest one, little more: requests preempt each other
    int blocks = 6 * Math.ceilDiv(70, blockSize) + extraBlocks;
    Geometry geometry = new Geometry(VOCABULARY, CONTEXT, blockSize, blocks, budget, 8);
    EngineConfig config = new EngineConfig(1000, 1 << 20, 8, Duration.ofSeconds(1), true);
    List<GenerationTask> tasks = IntStream.range(0, 6).mapToObj(_ -> task(random)).toList();
    List<Beams> found = new ArrayList<>();
    try (SimulatedModelRunner runner = new SimulatedModelRunner(geometry, StepHook.NONE)) {
      Engine engine = new Engine(runner, config, NanoClock.SYSTEM, EngineObserver.NONE);
      for (GenerationTask task : tasks) {
        found.add(new Beams());
        engine.submit(task, found.getLast());
      }
      engine.start();
      for (int i = 0; i < tasks.size(); i++) {
        verify(tasks.get(i), found.get(i));
      }
      assertThat(engine.close(Duration.ofSeconds(10))).isTrue();
      assertThat(engine.snapshot().ownedBlocks()).isZero();
    }
  }

  private static void verify(GenerationTask task, Beams found) throws Exception {
    GenerationSummary summary = found.done.get(60, TimeUnit.SECONDS);
    float lengthPenalty = task.beam().orElseThrow().lengthPenalty();
    List<Beam> expected = reference(task, task.maxTokens().orElseThrow());
    assertThat(found.tokens).isEqualTo(expected.stream().map(Beam::output).toList());
    assertThat(summary.outputTokens())
        .isEqualTo(expected.stream().mapToInt(beam -> beam.output().size()).sum());
    for (int i = 0; i < expected.size(); i++) {
      Beam beam = expected.get(i);
      assertThat(found.scores.get(i)).isCloseTo(beam.score(lengthPenalty), within(1e-4));
      assertThat(found.causes.get(i) instanceof FinishCause.Length)
          .isEqualTo(!task.endsChoice(beam.output().getLast()));
      if (task.outputLogprobs().isPresent()) {
        List<TokenLogprob> logprobs = found.logprobs.get(i);
        assertThat(logprobs).extracting(TokenLogprob::tokenId).isEqualTo(beam.output());
        assertThat(logprobs.stream().mapToDouble(TokenLogprob::logprob).sum())
            .isCloseTo(beam.logprob(), within(1e-3));
        assertThat(logprobs)
            .allMatch(logprob -> logprob.topCount() == task.outputLogprobs().getAsInt());
      }
    }
  }
}
