package dev.sluice.worker.runner;

import dev.sluice.worker.engine.ModelRunner;
import dev.sluice.worker.engine.StepBatch;

/**
 * Steps like those that will come, run until they get no faster: then the just-in-time compiler has
 * done with the kernels. Small steps first, since until then a token takes a hundred times as long.
 * Writes into the first blocks of the KV cache.
 */
final class WarmUp {
  private static final int PREFILL = 32;
  private static final int STREAMS = 4;
  private static final int LONG_CONTEXT = 256;

  /** Passes in a row that must bring nothing. */
  private static final int STEADY_PASSES = 3;

  private static final double NOTICEABLE = 0.8;
  private static final long DECODE_NANOS = 500_000_000L;
  private static final long MIXED_NANOS = 400_000_000L;

  private final ModelRunner runner;
  private final StepBatch batch;
  private final int capacity; // tokens that one sequence may have
  private final int[] blocks;

  WarmUp(ModelRunner runner) {
    this.runner = runner;
    ModelRunner.Geometry geometry = runner.geometry();
    this.batch = new StepBatch(geometry);
    this.capacity =
        (int) Math.min(geometry.maxContext(), (long) geometry.blocks() * geometry.blockSize());
    this.blocks = new int[geometry.blocksFor(capacity)];
    for (int i = 0; i < blocks.length; i++) {
      blocks[i] = i;
    }
  }

  void run() {
    repeat(DECODE_NANOS, () -> step(1, PREFILL, 1));
    repeat(
        MIXED_NANOS,
        () -> {
          step(1, 0, PREFILL);
          step(STREAMS, LONG_CONTEXT, 1);
        });
  }

  private static void repeat(long limitNanos, Runnable pass) {
    long start = System.nanoTime();
    long best = Long.MAX_VALUE;
    int steady = 0;
    while (steady < STEADY_PASSES && System.nanoTime() - start < limitNanos) {
      long before = System.nanoTime();
      pass.run();
      long nanos = System.nanoTime() - before;
      steady = nanos > best * NOTICEABLE ? steady + 1 : 0;
      best = Math.min(best, nanos);
    }
  }

  /** A step of sequences that all use the same blocks: what they hold does not matter. */
  private void step(int sequences, int past, int tokens) {
    ModelRunner.Geometry geometry = runner.geometry();
    int count = Math.min(sequences, geometry.maxSequences());
    int length = Math.min(tokens, Math.min(capacity, geometry.maxBatchedTokens() / count));
    int begin = Math.min(past, capacity - length);
    int width = geometry.blocksFor(begin + length);
    batch.begin(width);
    for (int sequence = 0; sequence < count; sequence++) {
      batch.addSequence(begin, blocks, width);
      for (int i = 0; i < length; i++) {
        batch.addToken(i % geometry.vocabularySize());
      }
      batch.addLogits();
    }
    runner.execute(batch);
  }
}
