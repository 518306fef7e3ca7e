package dev.sluice.worker.graph;

import dev.sluice.worker.model.ModelConfig;
import java.util.List;

/** How a graph multiplies with the model's matrices: one implementation for each quantization. */
interface Matrices {
  String EMBEDDING = "model.embed_tokens.weight";
  String HEAD = "lm_head.weight";

  /** Adds the lookup of token embeddings: int32 [T] to float [T, hidden]. */
  void embedding(ModelConfig config, String input, String output);

  /**
   * Adds y = x W^T.
   *
   * @param name of the weight in the graph
   * @param sources weights of the checkpoint that lie one below the other in W
   * @param rows outputs
   * @param columns inputs
   */
  void linear(
      String name, List<String> sources, long rows, long columns, String input, String output);

  /** Adds the output head: float [S, hidden] to float [S, vocabulary]. */
  void head(ModelConfig config, String input, String output);

  /** The checkpoint's name of the head's weight. */
  static String headSource(ModelConfig config) {
    return config.tiedHead() ? EMBEDDING : HEAD;
  }
}
