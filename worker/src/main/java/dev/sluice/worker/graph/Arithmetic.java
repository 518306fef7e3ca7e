package dev.sluice.worker.graph;

import dev.sluice.worker.model.ModelConfig;
import java.util.List;

/**
 * The nodes of one precision: how a decoder multiplies, and how it goes from one product to the
 * next. What lies between two multiplications is one node wherever possible, so that an activation
 * is read and written once.
 *
 * <p>T is the number of rows, a token each. All names are of tensors in the graph.
 */
interface Arithmetic {
  String EMBEDDING = "model.embed_tokens.weight";
  String HEAD = "lm_head.weight";

  /** The name of the projection onto the vocabulary. */
  String HEAD_PROJECTION = "head";

  /**
   * A matrix of the model, y = x W^T + b.
   *
   * @param name of the projection in the graph
   * @param weights of the checkpoint that lie one below the other in W
   * @param biases of the checkpoint, one after the other in b; empty for none
   * @param outputs rows of W
   * @param inputs columns of W
   */
  record Projection(
      String name, List<String> weights, List<String> biases, long outputs, long inputs) {
    public Projection {
      weights = List.copyOf(weights);
      biases = List.copyOf(biases);
    }
  }

  /** Rows that a projection can take: their tensors, as the precision holds them. */
  record Rows(List<String> tensors) {
    static Rows of(String... tensors) {
      return new Rows(List.of(tensors));
    }

    String tensor(int index) {
      return tensors.get(index);
    }
  }

  /** What a projection gave: its tensors, as the precision holds them. */
  record Product(List<String> tensors) {
    static Product of(String... tensors) {
      return new Product(List.of(tensors));
    }

    String tensor(int index) {
      return tensors.get(index);
    }
  }

  /** Looks up the embeddings of int32 [T] as float [T, hidden]. */
  void embedding(ModelConfig config, String input, String output);

  /** RMS norm of float [T, hidden]. */
  Rows norm(String name, String input, String weight);

  /** Makes rows of float [T, n]. */
  Rows rows(String name, String input);

  Product multiply(Projection projection, Rows input);

  /** The product as float [T, outputs]. */
  String floats(String name, Product product);

  /**
   * Adds a product to the residual stream and takes the RMS norm of the sum.
   *
   * @param residual float [T, hidden]
   * @param weight the norm's
   * @param sum name for product + residual, float [T, hidden]; empty if nobody needs it
   */
  Rows addAndNorm(String name, Product product, String residual, String weight, String sum);

  /** silu(gate) * up of a product whose first half is the gate. */
  Rows swiGlu(String name, Product product);

  /** The checkpoint's name of the head's weight. */
  static String headSource(ModelConfig config) {
    return config.tiedHead() ? EMBEDDING : HEAD;
  }

  /** The projection onto the vocabulary. */
  static Projection head(ModelConfig config) {
    return new Projection(
        HEAD_PROJECTION,
        List.of(headSource(config)),
        List.of(),
        config.vocabularySize(),
        config.hiddenSize());
  }
}
