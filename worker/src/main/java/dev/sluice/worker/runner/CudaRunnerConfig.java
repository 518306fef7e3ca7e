package dev.sluice.worker.runner;

import dev.sluice.worker.graph.CudaCache;
import dev.sluice.worker.graph.HalfType;
import dev.sluice.worker.graph.Quantization;

/**
 * How a model is run on a GPU. The size of KV blocks follows from the model, see {@link
 * CudaCache#blockSize}.
 *
 * @param quantization of the weights
 * @param type of activations, and of weights and cache where those are not quantised
 * @param cache how K and V are held
 * @param threads of the CPU, for what little is left to it
 * @param kvBytes memory for the KV cache; rounded down to whole blocks
 * @param maxContext most tokens of one sequence; cut to what the model was trained for
 * @param maxBatchedTokens most tokens of one step
 * @param maxSequences most sequences of one step
 */
public record CudaRunnerConfig(
    Quantization quantization,
    HalfType type,
    CudaCache cache,
    int threads,
    long kvBytes,
    int maxContext,
    int maxBatchedTokens,
    int maxSequences) {
  /** The name of the cache's type. */
  String kvType() {
    return switch (cache) {
      case HALF -> type.label();
      case FLOAT8 -> "float8";
    };
  }
}
