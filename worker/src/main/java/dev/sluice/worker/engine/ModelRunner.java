package dev.sluice.worker.engine;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Computes steps of one model and owns the memory of its paged KV cache. The only thing that the
 * engine knows of a model.
 *
 * <p>Threading: {@link #execute} is called by the engine thread alone; the logits may be read by
 * several threads between two steps.
 */
public interface ModelRunner extends AutoCloseable {
  /**
   * The sizes that the engine plans with.
   *
   * @param vocabularySize logits per row
   * @param maxContext most tokens of one sequence, prompt and output together
   * @param blockSize tokens per KV block
   * @param blocks number of KV blocks; block ids are 0 to blocks - 1
   * @param maxBatchedTokens most tokens of one step
   * @param maxSequences most sequences of one step
   */
  record Geometry(
      int vocabularySize,
      int maxContext,
      int blockSize,
      int blocks,
      int maxBatchedTokens,
      int maxSequences) {
    /** Most rows of logits of one step that are read to score prompts. */
    public static final int MAX_SCORED_ROWS = 64;

    /** Most rows of logits of one step: the last token of a prompt can have one for each choice. */
    public int maxLogits() {
      return maxBatchedTokens + maxSequences;
    }

    /** Blocks that a sequence of this many tokens needs. */
    public int blocksFor(int tokens) {
      return Math.ceilDiv(tokens, blockSize);
    }
  }

  /** The sizes; they never change. */
  Geometry geometry();

  /** Whether steps may ask for blocks to be copied. */
  boolean copiesBlocks();

  /**
   * Computes one step: copies blocks as told, writes K and V of every token of the batch into its
   * blocks, and the logits of the rows asked for. If it throws, the content of the blocks written
   * in this step is undefined and the step can be repeated as it is; nothing else has changed.
   *
   * @throws ModelRunnerException if the runtime fails
   */
  void execute(StepBatch batch);

  /**
   * The logits of the latest step: float32 [rows, vocabularySize] in native memory, a row for each
   * of {@link StepBatch#logitRows}. The caller may change them; they are valid until the next step.
   */
  MemorySegment logits();

  /**
   * Copies one row of the latest step's logits.
   *
   * @param row index into {@link StepBatch#logitRows}
   * @param target receives [vocabularySize]
   */
  default void readLogits(int row, float[] target) {
    int size = geometry().vocabularySize();
    MemorySegment source = logits();
    long rows = source.byteSize() / ((long) Float.BYTES * size);
    if (row < 0 || row >= rows) {
      throw new IllegalArgumentException(
          "row: " + row + " (expected: less than " + rows + ", the rows of the latest step)");
    }
    MemorySegment.copy(
        source, ValueLayout.JAVA_FLOAT, (long) Float.BYTES * size * row, target, 0, size);
  }

  /** Frees everything native. */
  @Override
  void close();
}
