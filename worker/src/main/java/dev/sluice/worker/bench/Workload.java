package dev.sluice.worker.bench;

import dev.sluice.worker.engine.ModelRunner;
import dev.sluice.worker.engine.StepBatch;
import dev.sluice.worker.sampling.Sampler;
import dev.sluice.worker.sampling.SamplingParams;
import java.util.Random;

/**
 * Sequences of random prompts driven through a runner, one step at a time.
 *
 * <p>Threading: confined to its owner.
 */
final class Workload {
  private static final long SEED = 7;
  private static final int FIRST_TOKEN = 1000;
  private static final int LAST_TOKEN = 40000;
  private static final double NANOS = 1e9;

  private final ModelRunner runner;
  private final StepBatch batch;
  private final Sampler sampler;
  private final Random random = new Random(SEED);

  Workload(ModelRunner runner) {
    this.runner = runner;
    this.batch = new StepBatch(runner.geometry());
    int tokens = runner.geometry().vocabularySize();
    this.sampler = new Sampler(tokens, tokens);
  }

  /** Tokens per second: of the prefills, of the decode steps, of all input and output together. */
  double[] serve(int streams, int input, int output) {
    int width = runner.geometry().blocksFor(input + output);
    int[] next = new int[streams];
    long start = System.nanoTime();
    for (int stream = 0; stream < streams; stream++) {
      batch.begin(width);
      addPrompt(stream, width, input);
      runner.execute(batch);
      next[stream] = best(0);
    }
    long prefilled = System.nanoTime();
    for (int step = 0; step < output - 1; step++) {
      batch.begin(width);
      for (int stream = 0; stream < streams; stream++) {
        batch.addSequence(input + step, blocks(stream, width), width);
        batch.addToken(next[stream]);
        batch.addLogits();
      }
      runner.execute(batch);
      for (int stream = 0; stream < streams; stream++) {
        next[stream] = best(stream);
      }
    }
    long end = System.nanoTime();
    return new double[] {
      streams * input * NANOS / (prefilled - start),
      streams * (output - 1) * NANOS / (end - prefilled),
      streams * (input + output) * NANOS / (end - start)
    };
  }

  /** Tokens per second of one prompt. */
  double prefill(int tokens) {
    long start = System.nanoTime();
    int width = runner.geometry().blocksFor(tokens);
    batch.begin(width);
    addPrompt(0, width, tokens);
    runner.execute(batch);
    best(0);
    return tokens * NANOS / (System.nanoTime() - start);
  }

  private void addPrompt(int stream, int width, int tokens) {
    batch.addSequence(0, blocks(stream, width), width);
    for (int i = 0; i < tokens; i++) {
      batch.addToken(random.nextInt(FIRST_TOKEN, LAST_TOKEN));
    }
    batch.addLogits();
  }

  private static int[] blocks(int stream, int width) {
    int[] blocks = new int[width];
    for (int i = 0; i < width; i++) {
      blocks[i] = stream * width + i;
    }
    return blocks;
  }

  private int best(int row) {
    return sampler.sample(runner.logits(), row, SamplingParams.GREEDY, 0, 0);
  }
}
