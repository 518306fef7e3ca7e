package dev.sluice.worker.model;

/**
 * An architecture as data: all that the graph builder has to know.
 *
 * @param architecture name in the file, such as {@code llama}
 * @param layers number of transformer layers
 * @param hiddenSize width of the residual stream
 * @param intermediateSize width of the feed-forward layer
 * @param heads query heads
 * @param kvHeads key and value heads; divides {@code heads}
 * @param headSize width of one head
 * @param vocabularySize rows of the embedding
 * @param maxContext tokens that the model was trained for
 * @param normEpsilon epsilon of the RMS norms
 * @param ropeTheta base of the rotary embedding; its halves are not interleaved
 * @param rotaryScaling how the rotary embedding was stretched
 * @param tiedHead whether the output head is the embedding
 * @param attentionBias whether the projections to q, k and v (not the one after attention) add a
 *     bias
 * @param queryKeyNorm whether each head of q and of k passes an RMS norm, with a weight of {@code
 *     headSize} that the layer's heads share, before the rotary embedding
 * @param slidingWindow tokens that a token attends to, itself included; 0 for all before it
 */
public record ModelConfig(
    String architecture,
    int layers,
    int hiddenSize,
    int intermediateSize,
    int heads,
    int kvHeads,
    int headSize,
    int vocabularySize,
    int maxContext,
    float normEpsilon,
    double ropeTheta,
    RotaryScaling rotaryScaling,
    boolean tiedHead,
    boolean attentionBias,
    boolean queryKeyNorm,
    int slidingWindow) {
  public ModelConfig {
    if (kvHeads < 1 || heads % kvHeads != 0) {
      throw new IllegalArgumentException(
          "kvHeads: " + kvHeads + " (expected: a divisor of heads, " + heads + ")");
    }
    if (slidingWindow < 0) {
      throw new IllegalArgumentException(
          "slidingWindow: " + slidingWindow + " (expected: 0, for none, or more)");
    }
  }
}
