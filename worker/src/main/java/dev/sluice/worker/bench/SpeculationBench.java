package dev.sluice.worker.bench;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.tokenizer.Tokenizer;
import dev.sluice.worker.engine.Engine;
import dev.sluice.worker.engine.EngineConfig;
import dev.sluice.worker.engine.EngineObserver;
import dev.sluice.worker.engine.EngineSnapshot;
import dev.sluice.worker.engine.FinishCause;
import dev.sluice.worker.engine.GenerationListener;
import dev.sluice.worker.engine.GenerationSummary;
import dev.sluice.worker.engine.GenerationTask;
import dev.sluice.worker.engine.ModelRunner;
import dev.sluice.worker.engine.NanoClock;
import dev.sluice.worker.engine.PrefillSummary;
import dev.sluice.worker.sampling.SamplingParams;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Speculative decoding against plain decoding, one stream at a time, in turns, on ordinary text and
 * on text that repeats what it was given.
 *
 * <p>Threading: confined to its owner.
 */
final class SpeculationBench {
  private static final int OUTPUT = 200;

  private final ModelRunner runner;
  private final Tokenizer tokenizer;
  private final int draftTokens;
  private final int repeats;

  /**
   * What a text showed.
   *
   * @param plain tokens per second, the median
   * @param speculative likewise
   * @param drafts tokens that were proposed, in all runs
   * @param accepted of these, tokens that were right
   * @param identical whether every run gave the same tokens
   */
  record Result(double plain, double speculative, long drafts, long accepted, boolean identical) {}

  private record Run(double rate, List<Integer> tokens, EngineSnapshot end) {}

  SpeculationBench(ModelRunner runner, Tokenizer tokenizer, int draftTokens, int repeats) {
    this.runner = runner;
    this.tokenizer = tokenizer;
    this.draftTokens = draftTokens;
    this.repeats = repeats;
  }

  /** Half of the runs are greedy, half sample. */
  Result run(SpeculationText text) {
    double[] plain = new double[repeats];
    double[] speculative = new double[repeats];
    long drafts = 0;
    long accepted = 0;
    boolean identical = true;
    Run _ = run(text, SamplingParams.GREEDY, 0); // for the compiler
    for (int i = 0; i < repeats; i++) {
      SamplingParams sampling =
          i % 2 == 0 ? SamplingParams.GREEDY : new SamplingParams(0.3f, 0, 0.9f, i);
      Run without = run(text, sampling, 0);
      Run with = run(text, sampling, draftTokens);
      plain[i] = without.rate();
      speculative[i] = with.rate();
      drafts += with.end().draftTokens();
      accepted += with.end().acceptedDraftTokens();
      identical &= with.tokens().equals(without.tokens());
    }
    return new Result(median(plain), median(speculative), drafts, accepted, identical);
  }

  private Run run(SpeculationText text, SamplingParams sampling, int drafts) {
    EngineConfig config = EngineConfig.defaults().withPrefixCache(false).withDraftTokens(drafts);
    Engine engine = new Engine(runner, config, NanoClock.SYSTEM, EngineObserver.NONE);
    Stream stream = new Stream();
    engine.submit(
        GenerationTask.builder("text", tokenizer.encode(text.prompt()))
            .maxTokens(OUTPUT)
            .ignoreEos(true)
            .sampling(sampling)
            .build(),
        stream);
    engine.start();
    GenerationSummary summary = stream.end.join();
    try {
      engine.close(Duration.ofSeconds(10));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    double seconds = summary.timings().decodeNanos() / 1e9;
    return new Run((OUTPUT - 1) / seconds, stream.tokens, engine.snapshot());
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }

  /** Keeps the tokens. */
  private static final class Stream implements GenerationListener {
    private final List<Integer> tokens = new ArrayList<>();
    private final CompletableFuture<GenerationSummary> end = new CompletableFuture<>();

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
      end.complete(summary);
    }

    @Override
    public void onFailed(Refusal refusal, GenerationSummary summary) {
      end.completeExceptionally(new IllegalStateException(refusal.message()));
    }
  }
}
