package dev.sluice.worker.kernel;

/**
 * The sizes of an attention layer.
 *
 * @param heads query heads
 * @param kvHeads key and value heads; divides {@code heads}
 * @param headSize width of a head: a multiple of 16, 32 or more
 * @param scale what scores are multiplied by, usually 1 / sqrt(headSize)
 */
public record AttentionShape(int heads, int kvHeads, int headSize, float scale) {
  /** Tokens of a KV block: one for each logical lane. */
  public static final int BLOCK_SIZE = Lanes.LOGICAL;

  public AttentionShape {
    if (kvHeads < 1 || heads % kvHeads != 0) {
      throw new IllegalArgumentException(
          "kvHeads: " + kvHeads + " (expected: a divisor of heads, " + heads + ")");
    }
    if (headSize < 32 || headSize % Lanes.LOGICAL != 0) {
      throw new IllegalArgumentException(
          "headSize: " + headSize + " (expected: a multiple of 16, 32 or more)");
    }
  }

  /** Query heads that share one KV head. */
  public int group() {
    return heads / kvHeads;
  }

  /** Bytes of K, and of V, of one block of one KV head. */
  long blockBytes() {
    return (long) BLOCK_SIZE * headSize * Float.BYTES;
  }
}
