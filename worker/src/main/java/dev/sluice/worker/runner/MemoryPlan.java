package dev.sluice.worker.runner;

import dev.sluice.worker.model.ModelConfig;

/**
 * What a model takes.
 *
 * @param weightBytes of the weights as they are held
 * @param kvBytes of the whole KV cache
 * @param kvBytesPerToken of K and V of one token in all layers
 */
public record MemoryPlan(long weightBytes, long kvBytes, long kvBytesPerToken) {
  /** Bytes of K and V of one token in all layers, in float32. */
  public static long kvBytesPerToken(ModelConfig model) {
    return 2L * model.layers() * model.kvHeads() * model.headSize() * Float.BYTES;
  }
}
