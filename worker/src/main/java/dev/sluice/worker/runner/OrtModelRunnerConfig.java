package dev.sluice.worker.runner;

import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.AttentionShape;
import dev.sluice.worker.kernel.KvType;

/**
 * How a model is run.
 *
 * @param quantization of the weights
 * @param kvType of the KV cache
 * @param threads that compute a step, with the one that calls
 * @param kvBytes memory for the KV cache; rounded down to whole blocks
 * @param blockSize tokens of a KV block; 16 on CPU
 * @param maxContext most tokens of one sequence; cut to what the model was trained for
 * @param maxBatchedTokens most tokens of one step
 * @param maxSequences most sequences of one step
 */
public record OrtModelRunnerConfig(
    Quantization quantization,
    KvType kvType,
    int threads,
    long kvBytes,
    int blockSize,
    int maxContext,
    int maxBatchedTokens,
    int maxSequences) {
  public OrtModelRunnerConfig {
    check("threads", threads);
    check("maxContext", maxContext);
    check("maxBatchedTokens", maxBatchedTokens);
    check("maxSequences", maxSequences);
    if (blockSize != AttentionShape.BLOCK_SIZE) {
      throw new IllegalArgumentException(
          "blockSize: " + blockSize + " (expected: " + AttentionShape.BLOCK_SIZE + ")");
    }
  }

  private static void check(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + ": " + value + " (expected: 1 or more)");
    }
  }

  /** All processors, 256 MiB of KV cache in bf16, 8,192 tokens of context, steps of 512 tokens. */
  public static OrtModelRunnerConfig defaults(Quantization quantization) {
    return new OrtModelRunnerConfig(
        quantization,
        KvType.BF16,
        Runtime.getRuntime().availableProcessors(),
        256L << 20,
        AttentionShape.BLOCK_SIZE,
        8192,
        512,
        64);
  }
}
