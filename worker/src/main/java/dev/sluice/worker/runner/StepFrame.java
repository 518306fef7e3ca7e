package dev.sluice.worker.runner;

import dev.sluice.worker.engine.ModelRunner.Geometry;
import dev.sluice.worker.engine.ModelRunnerException;
import dev.sluice.worker.engine.StepBatch;
import dev.sluice.worker.graph.DecoderGraph;
import dev.sluice.worker.ort.OrtEnvironment;
import dev.sluice.worker.ort.OrtException;
import dev.sluice.worker.ort.OrtFrame;
import dev.sluice.worker.ort.OrtSession;
import dev.sluice.worker.ort.OrtTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A session's inputs and outputs as the steps of a decoder fill and read them. The caches, and what
 * a device takes beside, are set by the owner.
 *
 * <p>Threading: engine thread. A step allocates no memory of its own when its shape is that of the
 * step before.
 */
@SuppressWarnings("restricted") // native memory and functions
final class StepFrame {
  private static final int LOGITS = 0;

  private final OrtEnvironment environment;
  private final CloseStack resources;
  private final Geometry geometry;
  private final OrtFrame frame;
  private final IntInput inputIds;
  private final IntInput cumulativeLengths;
  private final IntInput pastLengths;
  private final IntInput blockTable;
  private final IntInput logitRows;
  private MemorySegment logits = MemorySegment.NULL; // [rows, vocabularySize]

  /**
   * @param resources closes what the frame opens
   */
  StepFrame(
      OrtEnvironment environment,
      OrtSession session,
      DecoderGraph graph,
      Geometry geometry,
      CloseStack resources) {
    this.environment = environment;
    this.resources = resources;
    this.geometry = geometry;
    this.frame =
        resources.push(
            new OrtFrame(session, graph.inputs(), List.of(graph.logits())), OrtFrame::close);
    int tokens = geometry.maxBatchedTokens();
    int sequences = geometry.maxSequences();
    this.inputIds = input(DecoderGraph.INPUT_IDS, tokens);
    this.cumulativeLengths = input(DecoderGraph.CUMULATIVE_LENGTHS, sequences + 1);
    this.pastLengths = input(DecoderGraph.PAST_LENGTHS, sequences);
    this.blockTable =
        input(DecoderGraph.BLOCK_TABLE, sequences * geometry.blocksFor(geometry.maxContext()));
    this.logitRows = input(DecoderGraph.LOGIT_ROWS, geometry.maxLogits());
  }

  /**
   * An input of int32 in CPU memory.
   *
   * @param index of the input in the graph
   * @param capacity most elements
   */
  IntInput input(int index, int capacity) {
    Arena arena = resources.arena();
    return resources.push(
        new IntInput(environment, frame, index, capacity, arena), IntInput::close);
  }

  /** Sets an input for all steps; the tensor must stay open as long as steps are run. */
  void setInput(int index, OrtTensor tensor) {
    frame.setInput(index, tensor);
  }

  /**
   * Runs a step.
   *
   * @throws ModelRunnerException if the runtime fails
   * @throws IllegalArgumentException if the batch reaches outside of the cache
   */
  void execute(StepBatch batch) {
    check(batch);
    MemorySegment before = logits;
    logits = MemorySegment.NULL;
    inputIds.setVector(batch.tokenIds(), batch.tokens());
    cumulativeLengths.setVector(batch.cumulativeLengths(), batch.sequences() + 1);
    pastLengths.setVector(batch.pastLengths(), batch.sequences());
    blockTable.setMatrix(batch.blockTable(), batch.sequences(), batch.tableWidth());
    logitRows.setVector(batch.logitRows(), batch.logits());
    try {
      frame.run();
    } catch (OrtException e) {
      throw new ModelRunnerException("step of " + batch.tokens() + " tokens failed", e);
    }
    logits = rows(batch.logits(), frame.outputAddress(LOGITS), before);
  }

  /** ONNX Runtime mostly gives the memory of the step before; then nothing is allocated. */
  private MemorySegment rows(int count, long address, MemorySegment before) {
    long bytes = (long) Float.BYTES * geometry.vocabularySize() * count;
    return before.address() == address && before.byteSize() == bytes
        ? before
        : MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  /** The kernels trust lengths and block ids: a wrong one would write into other memory. */
  private void check(StepBatch batch) {
    int[] ends = batch.cumulativeLengths();
    for (int sequence = 0; sequence < batch.sequences(); sequence++) {
      int past = batch.pastLengths()[sequence];
      int length = past + ends[sequence + 1] - ends[sequence];
      int needed = geometry.blocksFor(length);
      if (past < 0 || length > geometry.maxContext() || needed > batch.tableWidth()) {
        throw new IllegalArgumentException(
            "sequence "
                + sequence
                + ": "
                + past
                + " to "
                + length
                + " tokens in "
                + batch.tableWidth()
                + " blocks (expected: at most "
                + geometry.maxContext()
                + " tokens, all within the block table)");
      }
      for (int i = 0; i < needed; i++) {
        int block = batch.blockTable()[sequence * batch.tableWidth() + i];
        if (block < 0 || block >= geometry.blocks()) {
          throw new IllegalArgumentException(
              "block: " + block + " (expected: 0 to " + (geometry.blocks() - 1) + ")");
        }
      }
    }
  }

  /** See {@link dev.sluice.worker.engine.ModelRunner#logits}. */
  MemorySegment logits() {
    return logits;
  }
}
