package dev.sluice.worker.runner;

import dev.sluice.worker.kernel.AttentionShape;
import dev.sluice.worker.kernel.KvTensor;
import dev.sluice.worker.kernel.KvType;
import dev.sluice.worker.model.ModelConfig;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Where a worker's memory goes.
 *
 * @param weightBytes weights as they are held
 * @param workingBytes an upper bound for all that is neither weights nor KV cache
 * @param kvBytesPerToken K and V of one token in all layers
 * @param blockSize tokens of a block
 * @param blocks of the KV cache
 */
public record MemoryPlan(
    long weightBytes, long workingBytes, long kvBytesPerToken, int blockSize, int blocks) {
  private static final long UNIT = 1024;

  /** Bytes of K and V, with their scales, of one token in all layers. */
  public static long kvBytesPerToken(ModelConfig model, KvType kvType) {
    int slots = AttentionShape.BLOCK_SIZE;
    long blockBytes = 0;
    for (KvTensor tensor : kvType.tensors(model.kvHeads(), model.headSize(), slots)) {
      blockBytes += tensor.blockBytes();
    }
    return model.layers() * blockBytes / slots;
  }

  /** Bytes of one block in all layers. */
  public long blockBytes() {
    return blockSize * kvBytesPerToken;
  }

  /** Bytes of the whole KV cache. */
  public long kvBytes() {
    return blocks * blockBytes();
  }

  /** Bytes of everything. */
  public long totalBytes() {
    return weightBytes + workingBytes + kvBytes();
  }

  /** Bytes that suffice for everything, with a KV cache for that many tokens of one request. */
  public long totalBytesFor(int context) {
    return weightBytes + workingBytes + blocksFor(context) * blockBytes();
  }

  /** The same with as many whole blocks as there is memory for. */
  public MemoryPlan withKvBytes(long bytes) {
    long fitting = Math.clamp(bytes / blockBytes(), 0, Integer.MAX_VALUE);
    return new MemoryPlan(
        weightBytes, workingBytes, kvBytesPerToken, blockSize, Math.toIntExact(fitting));
  }

  /**
   * The same with a KV cache that a model can run with.
   *
   * @throws IllegalArgumentException if not even a block fits
   */
  MemoryPlan withUsableKvBytes(long bytes) {
    MemoryPlan plan = withKvBytes(bytes);
    if (plan.blocks() < 1) {
      throw new IllegalArgumentException(
          "kvBytes: %d (expected: at least a block, %d)".formatted(bytes, blockBytes()));
    }
    return plan;
  }

  /** The same with what is left of so much memory for the KV cache, which may be nothing. */
  public MemoryPlan withTotalBytes(long bytes) {
    return withKvBytes(Math.max(0, bytes - weightBytes - workingBytes));
  }

  /** Requests of that many tokens, prompt and output together, that fit at once. */
  public long requests(int context) {
    return blocks / blocksFor(context);
  }

  private long blocksFor(int tokens) {
    return Math.ceilDiv(tokens, blockSize);
  }

  /** One line for people. */
  public String describe(List<Integer> contexts) {
    return String.format(
        Locale.ROOT,
        "%s: weights %s, working memory up to %s, KV cache %s (%s a token, %d blocks of %d): %s",
        size(totalBytes()),
        size(weightBytes),
        size(workingBytes),
        size(kvBytes()),
        size(kvBytesPerToken),
        blocks,
        blockSize,
        contexts.stream()
            .map(context -> requests(context) + " requests of " + context + " tokens")
            .collect(Collectors.joining(", ")));
  }

  /** Bytes in a unit that people read easily, such as {@code 23.4 MiB}. */
  public static String size(long bytes) {
    List<String> units = List.of("B", "KiB", "MiB", "GiB", "TiB");
    double value = bytes;
    int unit = 0;
    while (value >= UNIT && unit < units.size() - 1) {
      value /= UNIT;
      unit++;
    }
    return unit == 0 ? bytes + " B" : String.format(Locale.ROOT, "%.1f %s", value, units.get(unit));
  }
}
