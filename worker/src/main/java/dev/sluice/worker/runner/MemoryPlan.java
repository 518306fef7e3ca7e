package dev.sluice.worker.runner;

import dev.sluice.worker.graph.KvTensor;
import dev.sluice.worker.graph.KvType;
import dev.sluice.worker.kernel.AttentionShape;
import dev.sluice.worker.model.ModelConfig;

/**
 * What a model takes.
 *
 * @param weightBytes of the weights as they are held
 * @param kvBytes of the whole KV cache
 * @param kvBytesPerToken of K and V of one token in all layers
 */
public record MemoryPlan(long weightBytes, long kvBytes, long kvBytesPerToken) {
  /** Bytes of K and V, with their scales, of one token in all layers. */
  public static long kvBytesPerToken(ModelConfig model, KvType kvType) {
    int slots = AttentionShape.BLOCK_SIZE;
    long blockBytes = 0;
    for (KvTensor tensor : kvType.tensors(model.kvHeads(), model.headSize(), slots)) {
      blockBytes += tensor.blockBytes();
    }
    return model.layers() * blockBytes / slots;
  }
}
