package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.ElementType;
import java.util.Arrays;
import java.util.List;

/**
 * One tensor of a layer's KV cache: [blocks, ...].
 *
 * @param name of its kind, such as {@code key_cache}
 * @param blockShape what follows the number of blocks
 */
public record KvTensor(String name, ElementType type, List<Long> blockShape) {
  public KvTensor {
    blockShape = List.copyOf(blockShape);
  }

  static KvTensor of(String name, ElementType type, long... blockShape) {
    return new KvTensor(name, type, Arrays.stream(blockShape).boxed().toList());
  }

  /** Bytes of one block. */
  public long blockBytes() {
    long elements = 1;
    for (long dimension : blockShape) {
      elements = Math.multiplyExact(elements, dimension);
    }
    return elements * type.bytes();
  }
}
