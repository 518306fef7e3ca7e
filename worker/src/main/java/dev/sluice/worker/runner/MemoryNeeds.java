package dev.sluice.worker.runner;

import dev.sluice.worker.engine.ModelRunner.Geometry;
import dev.sluice.worker.graph.CudaCache;
import dev.sluice.worker.graph.CudaGraphOptions;
import dev.sluice.worker.graph.DecoderGraph;
import dev.sluice.worker.graph.GraphOptions;
import dev.sluice.worker.graph.Initializer;
import dev.sluice.worker.graph.Weight;
import dev.sluice.worker.model.ModelConfig;
import java.util.List;

/** What a model needs before there is a KV cache: plans without blocks. */
public final class MemoryNeeds {
  private static final long MIB = 1L << 20;

  /**
   * What a worker process takes without a model: heap, compiled code, threads, buffers of the
   * network, the libraries' own. Measured, with a margin, see docs/memory.md.
   */
  private static final long PROCESS_BYTES = 256 * MIB;

  /** Context of a CUDA device and the workspaces of its libraries. */
  private static final long CUDA_BYTES = 1024 * MIB;

  /** ONNX Runtime's arena grows in powers of two. */
  private static final int ARENA = 2;

  private MemoryNeeds() {}

  /** Of a worker on the CPU. */
  public static MemoryPlan cpu(
      ModelConfig model, GraphOptions options, int maxBatchedTokens, int maxSequences) {
    List<Weight> weights = DecoderGraph.build(model, options).weights();
    return cpu(model, weights, options, maxBatchedTokens, maxSequences);
  }

  static MemoryPlan cpu(
      ModelConfig model,
      List<Weight> weights,
      GraphOptions options,
      int maxBatchedTokens,
      int maxSequences) {
    return new MemoryPlan(
        weightBytes(weights),
        PROCESS_BYTES + activationBytes(model, Float.BYTES, maxBatchedTokens, maxSequences),
        MemoryPlan.kvBytesPerToken(model, options.kvType()),
        options.blockSize(),
        0);
  }

  /** Of the memory of a GPU. */
  public static MemoryPlan gpu(
      ModelConfig model, CudaGraphOptions options, int maxBatchedTokens, int maxSequences) {
    List<Weight> weights = DecoderGraph.build(model, options).weights();
    return gpu(model, weights, options, maxBatchedTokens, maxSequences);
  }

  static MemoryPlan gpu(
      ModelConfig model,
      List<Weight> weights,
      CudaGraphOptions options,
      int maxBatchedTokens,
      int maxSequences) {
    return new MemoryPlan(
        weightBytes(weights),
        CUDA_BYTES
            + activationBytes(
                model, options.type().elementType().bytes(), maxBatchedTokens, maxSequences),
        options.cache().bytesPerToken(model, options.type()),
        CudaCache.blockSize(model.headSize()),
        0);
  }

  private static long weightBytes(List<Weight> weights) {
    return weights.stream()
        .flatMap(weight -> weight.initializers().stream())
        .mapToLong(Initializer::bytes)
        .sum();
  }

  /**
   * The widest tensors that are alive at once in a layer, for every token of a step, and the logits
   * with what the samplers keep of them.
   */
  private static long activationBytes(
      ModelConfig model, int bytes, long maxBatchedTokens, long maxSequences) {
    long attention = (long) (model.heads() + 2 * model.kvHeads()) * model.headSize();
    long width = 4L * model.hiddenSize() + 2 * attention + 3L * model.intermediateSize();
    long rows = maxSequences + Math.min(Geometry.MAX_SCORED_ROWS, maxBatchedTokens);
    long logits = 2 * rows * model.vocabularySize() * Float.BYTES;
    return ARENA * (maxBatchedTokens * width * bytes + logits);
  }
}
