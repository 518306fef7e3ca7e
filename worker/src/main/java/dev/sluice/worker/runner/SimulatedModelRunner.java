package dev.sluice.worker.runner;

import dev.sluice.worker.engine.ModelRunner;
import dev.sluice.worker.engine.StepBatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Runs no model: the logits are a pure function of the tokens of a sequence and their order. But
 * the tokens are kept in, and read back from, blocks of a cache as a real model's K and V are, so
 * that a wrong block table, a wrong position, or a block given to two sequences changes the output.
 *
 * <p>Threading: engine thread.
 */
public final class SimulatedModelRunner implements ModelRunner {
  private static final long GARBAGE = 0xDEAD_BEEF_DEAD_BEEFL;

  private final Geometry geometry;
  private final StepHook hook;
  private final long[] cache; // [blocks * blockSize]
  private final MemorySegment logits; // [maxLogits, vocabularySize]

  /** What happens while a step computes. */
  @FunctionalInterface
  public interface StepHook {
    /** Nothing. */
    StepHook NONE = _ -> {};

    /** May wait, to simulate the time that the step takes, and may throw, to make it fail. */
    void onStep(StepBatch batch);
  }

  public SimulatedModelRunner(Geometry geometry, StepHook hook) {
    this.geometry = geometry;
    this.hook = hook;
    this.cache = new long[geometry.blocks() * geometry.blockSize()];
    this.logits =
        Arena.ofAuto()
            .allocate(
                ValueLayout.JAVA_FLOAT, (long) geometry.maxLogits() * geometry.vocabularySize());
    Arrays.fill(cache, GARBAGE);
  }

  @Override
  public Geometry geometry() {
    return geometry;
  }

  @Override
  public boolean copiesBlocks() {
    return true;
  }

  @Override
  public void execute(StepBatch batch) {
    int size = geometry.blockSize();
    for (int copy = 0; copy < batch.copies(); copy++) {
      System.arraycopy(cache, batch.copyFrom(copy) * size, cache, batch.copyTo(copy) * size, size);
    }
    for (int sequence = 0; sequence < batch.sequences(); sequence++) {
      write(batch, sequence, false); // what a failing step leaves
    }
    hook.onStep(batch);
    for (int sequence = 0; sequence < batch.sequences(); sequence++) {
      write(batch, sequence, true);
    }
    int row = 0;
    for (int sequence = 0; sequence < batch.sequences(); sequence++) {
      int begin = batch.cumulativeLengths()[sequence];
      int end = batch.cumulativeLengths()[sequence + 1];
      for (; row < batch.logits() && batch.logitRows()[row] < end; row++) {
        int position = batch.pastLengths()[sequence] + batch.logitRows()[row] - begin;
        fill(row, read(batch, sequence, position));
      }
    }
  }

  /** Fills the slots of a sequence's new tokens. */
  private void write(StepBatch batch, int sequence, boolean valid) {
    int position = batch.pastLengths()[sequence];
    int end = batch.cumulativeLengths()[sequence + 1];
    for (int i = batch.cumulativeLengths()[sequence]; i < end; i++, position++) {
      long content = mix(((long) position << 32) | batch.tokenIds()[i]);
      cache[slot(batch, sequence, position)] = valid ? content : GARBAGE;
    }
  }

  /** Everything up to a position of a sequence, from its blocks. */
  private long read(StepBatch batch, int sequence, int lastPosition) {
    long context = 0;
    for (int position = 0; position <= lastPosition; position++) {
      context = mix(context ^ cache[slot(batch, sequence, position)]);
    }
    return context;
  }

  private int slot(StepBatch batch, int sequence, int position) {
    int entry = sequence * batch.tableWidth() + position / geometry.blockSize();
    return batch.blockTable()[entry] * geometry.blockSize() + position % geometry.blockSize();
  }

  /** Logits from -4 to 4, evenly spread. */
  private void fill(int row, long context) {
    long first = (long) row * geometry.vocabularySize();
    for (int token = 0; token < geometry.vocabularySize(); token++) {
      float logit = (mix(context + token) >> 40) * 0x1p-21f;
      logits.setAtIndex(ValueLayout.JAVA_FLOAT, first + token, logit);
    }
  }

  @Override
  public MemorySegment logits() {
    return logits;
  }

  @Override
  public void close() {}

  /** The finaliser of SplitMix64. */
  private static long mix(long z) {
    z = (z + 0x9E3779B97F4A7C15L) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
