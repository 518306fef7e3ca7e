package dev.sluice.worker.graph;

import dev.sluice.worker.model.ModelConfig;
import dev.sluice.worker.ort.ElementType;

/** How K and V are held on a GPU: [blocks, blockSize, kvHeads, headSize] in each layer. */
public enum CudaCache {
  /** In the type of the activations. */
  HALF,
  /** In 8 bits, e4m3, without a scale: half the memory, and 4 significant bits. */
  FLOAT8;

  /** The type of the cache's elements. */
  public ElementType elementType(HalfType activations) {
    return switch (this) {
      case HALF -> activations.elementType();
      case FLOAT8 -> ElementType.FLOAT8;
    };
  }

  /** Bytes of K and V of one token in all layers. */
  public long bytesPerToken(ModelConfig model, HalfType activations) {
    long elements = 2L * model.layers() * model.kvHeads() * model.headSize();
    return elements * elementType(activations).bytes();
  }

  /**
   * Tokens of a KV block: the fewest with which FlashAttention reads the cache where it lies. Its
   * tiles, whose length depends on the size of a head, must not straddle two blocks; with smaller
   * blocks the operator would copy the whole context together for every layer and step.
   */
  public static int blockSize(int headSize) {
    if (headSize <= 64) {
      return 256;
    }
    return headSize <= 128 ? 128 : 64;
  }
}
