package dev.sluice.worker.bench;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.tokenizer.TextStream;
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
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedTransferQueue;

/**
 * What the engine spends a step on, with scheduler, sampling, and a thread for each stream that
 * turns tokens into text as the service does; without the network.
 *
 * <p>Threading: confined to its owner.
 */
final class EngineProfile {
  private static final int PROMPT = 128;
  private static final int OUTPUT = 192;
  private static final int MARGIN = 8; // tokens at either end that do not count
  private static final int END = -1;

  private final ModelRunner runner;
  private final Tokenizer tokenizer;
  private final int threads;
  private final Random random = new Random(7);

  /**
   * Time per step of a batch that decodes.
   *
   * @param steps how many were measured
   * @param phases of all of them together
   */
  record Result(long steps, EngineSnapshot.Phases phases) {
    /** The part of the time that is not the model's, 0 to 1. */
    double outside() {
      return 1 - (double) phases.modelNanos() / total();
    }

    long total() {
      return phases.scheduleNanos()
          + phases.modelNanos()
          + phases.samplingNanos()
          + phases.publishNanos();
    }
  }

  EngineProfile(ModelRunner runner, Tokenizer tokenizer, int threads) {
    this.runner = runner;
    this.tokenizer = tokenizer;
    this.threads = threads;
  }

  /** Half of the streams are greedy, half sample. */
  Result run(int streams) throws InterruptedException {
    EngineConfig config =
        new EngineConfig(
                streams,
                1L << 20,
                PROMPT,
                Duration.ofSeconds(1),
                false,
                threads,
                tokenizer.vocabularySize())
            .withPrefixCache(false);
    Engine engine = new Engine(runner, config, NanoClock.SYSTEM, EngineObserver.NONE);
    CountDownLatch decoding = new CountDownLatch(streams);
    CountDownLatch ending = new CountDownLatch(1);
    List<Stream> all = new ArrayList<>();
    for (int i = 0; i < streams; i++) {
      Stream stream = new Stream(tokenizer.textStream(), decoding, ending);
      all.add(stream);
      engine.submit(task(i), stream);
    }
    engine.start();
    decoding.await();
    EngineSnapshot begin = engine.snapshot();
    ending.await();
    EngineSnapshot end = engine.snapshot();
    for (Stream stream : all) {
      stream.thread.join();
    }
    engine.close(Duration.ZERO);
    return new Result(end.steps() - begin.steps(), end.phases().minus(begin.phases()));
  }

  private GenerationTask task(int stream) {
    int[] prompt = random.ints(PROMPT, 0, tokenizer.vocabularySize()).toArray();
    return GenerationTask.builder("stream-" + stream, prompt)
        .maxTokens(OUTPUT)
        .sampling(
            stream % 2 == 0 ? SamplingParams.GREEDY : new SamplingParams(0.8f, 0, 0.95f, stream))
        .build();
  }

  /** Turns tokens into text on a thread of its own. */
  private static final class Stream implements GenerationListener {
    private final TextStream text;
    private final CountDownLatch decoding;
    private final CountDownLatch ending;
    private final LinkedTransferQueue<Integer> tokens = new LinkedTransferQueue<>();
    private final Thread thread = Thread.ofVirtual().start(this::read);
    private int count;

    Stream(TextStream text, CountDownLatch decoding, CountDownLatch ending) {
      this.text = text;
      this.decoding = decoding;
      this.ending = ending;
    }

    private void read() {
      try {
        for (int token = tokens.take(); token != END; token = tokens.take()) {
          text.append(token);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void onPrefilled(PrefillSummary prefill) {}

    @Override
    public void onToken(int choice, int tokenId, boolean ending, long nanos) {
      tokens.add(tokenId);
      count++;
      if (count == MARGIN) {
        decoding.countDown();
      } else if (count == OUTPUT - MARGIN) {
        this.ending.countDown();
      }
    }

    @Override
    public void onChoiceFinished(int choice, FinishCause cause) {}

    @Override
    public void onComplete(GenerationSummary summary) {
      tokens.add(END);
    }

    @Override
    public void onFailed(Refusal refusal, GenerationSummary summary) {
      tokens.add(END);
      decoding.countDown();
      ending.countDown();
    }
  }
}
