package dev.sluice.worker.kernel;

/**
 * The sizes of an attention layer.
 *
 * @param heads query heads
 * @param kvHeads key and value heads; divides {@code heads}
 * @param headSize width of a head: a multiple of 16, 32 or more
 * @param scale what scores are multiplied by, usually 1 / sqrt(headSize)
 * @param window tokens that a query sees at most: itself and those before it
 * @param normEpsilon epsilon of the RMS norms of queries and keys, if there are such
 */
public record AttentionShape(
    int heads, int kvHeads, int headSize, float scale, int window, float normEpsilon) {
  /** Tokens of a KV block: one for each logical lane. */
  public static final int BLOCK_SIZE = Lanes.LOGICAL;

  /** The {@code window} of a layer whose queries see all tokens before them. */
  public static final int NO_WINDOW = Integer.MAX_VALUE;

  /** The sizes that heads may have, for messages. */
  public static final String HEAD_SIZES = "a multiple of 16, 32 or more";

  public AttentionShape {
    if (kvHeads < 1 || heads % kvHeads != 0) {
      throw new IllegalArgumentException(
          "kvHeads: " + kvHeads + " (expected: a divisor of heads, " + heads + ")");
    }
    if (!supports(headSize)) {
      throw new IllegalArgumentException(
          "headSize: " + headSize + " (expected: " + HEAD_SIZES + ")");
    }
    if (window < 1) {
      throw new IllegalArgumentException("window: " + window + " (expected: 1 or more)");
    }
  }

  /** Whether heads may have this size. */
  public static boolean supports(int headSize) {
    return headSize >= 32 && headSize % Lanes.LOGICAL == 0;
  }

  /** Query heads that share one KV head. */
  public int group() {
    return heads / kvHeads;
  }

  /** The first position that the query at a position sees. */
  int firstVisible(int position) {
    return Math.max(0, position - window + 1);
  }
}
