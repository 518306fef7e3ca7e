package dev.sluice.worker.graph;

/**
 * What of a graph depends on the processor that runs it: the nodes of attention and activation, the
 * KV cache, the form of the weights.
 */
interface Backend {
  /** Declares the inputs that follow {@link DecoderGraph#LOGIT_ROWS}, in their order. */
  void declareInputs(DecoderGraph.Inputs inputs);

  /**
   * Attention of one layer.
   *
   * @param queryKeyValue [T, (heads + 2 * kvHeads) * D], the three side by side
   * @param queryNorm weight of the norm of each head of q, or empty
   * @param keyNorm weight of the norm of each head of k, or empty
   * @return name of [T, heads * D]
   */
  String attend(int layer, String queryKeyValue, String queryNorm, String keyNorm);

  /** silu(gate) * up of [T, 2n], whose first half is the gate. */
  void swiGlu(String input, String output);

  /** The logits as float, from the head's product. */
  String logits(String product);

  /** A weight in the form in which the processor takes it. */
  Weight held(Weight weight);
}
