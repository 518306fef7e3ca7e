package dev.sluice.worker.graph;

import dev.sluice.worker.graph.OnnxGraph.Attributes;
import dev.sluice.worker.model.ModelConfig;
import java.util.ArrayList;
import java.util.List;

/**
 * Weights in 8 bits with a scale for every 32 of them, or in 4 bits with a scale and a zero: {@code
 * MatMulNBits}.
 */
final class BlockArithmetic extends FloatNodes {
  private static final int BITS = 8;

  /** Multiply in int8; without it every call would turn the weights back into float32. */
  private static final int ACCURACY_INT8 = 4;

  private final boolean fourBits;

  /**
   * @param fourBits whether matrices but the head and the embedding have 4 bits, not 8
   */
  BlockArithmetic(OnnxGraph graph, List<Weight> weights, float normEpsilon, boolean fourBits) {
    super(graph, weights, normEpsilon);
    this.fourBits = fourBits;
  }

  @Override
  public void embedding(ModelConfig config, String input, String output) {
    embedding(graph, weights, config, input, output);
  }

  /** The lookup in 8 bits, which other arithmetic uses as well. */
  static void embedding(
      OnnxGraph graph, List<Weight> weights, ModelConfig config, String input, String output) {
    BlockWeight weight =
        new BlockWeight(
            "embedding",
            List.of(EMBEDDING),
            config.vocabularySize(),
            config.hiddenSize(),
            /* blocked= */ false);
    weights.add(weight);
    graph.node(
        OnnxGraph.MICROSOFT,
        "GatherBlockQuantized",
        List.of(weight.quantized(), input, weight.scales()),
        List.of(output),
        new Attributes()
            .with("bits", BITS)
            .with("block_size", BlockWeight.BLOCK)
            .with("gather_axis", 0)
            .with("quantize_axis", 1));
  }

  /**
   * A tied head is a second copy of the embedding: it is repacked for multiplication and the
   * original freed, whereas a tensor with two users would be kept as well.
   */
  @Override
  public Product multiply(Projection projection, Rows input) {
    // The head decides between close tokens: it always has 8 bits.
    boolean nibbles = fourBits && !projection.name().equals(Arithmetic.HEAD_PROJECTION);
    List<String> operands = new ArrayList<>(List.of(input.tensor(0)));
    operands.addAll(nibbles ? nibbles(projection) : bytes(projection));
    String bias = bias(projection);
    if (!bias.isEmpty()) {
      operands.addAll(List.of("", bias));
    }
    String output = projection.name() + ".output";
    graph.node(
        OnnxGraph.MICROSOFT,
        "MatMulNBits",
        operands,
        List.of(output),
        new Attributes()
            .with("K", projection.inputs())
            .with("N", projection.outputs())
            .with("bits", nibbles ? BITS / 2 : BITS)
            .with("block_size", BlockWeight.BLOCK)
            .with("accuracy_level", ACCURACY_INT8));
    return Product.of(output);
  }

  /** Weights, scales, and no zeros. */
  private List<String> bytes(Projection projection) {
    BlockWeight weight =
        new BlockWeight(
            projection.name(),
            projection.weights(),
            projection.outputs(),
            projection.inputs(),
            /* blocked= */ true);
    weights.add(weight);
    return List.of(weight.quantized(), weight.scales(), "");
  }

  /** Weights, scales, zeros. */
  private List<String> nibbles(Projection projection) {
    NibbleWeight weight =
        new NibbleWeight(
            projection.name(), projection.weights(), projection.outputs(), projection.inputs());
    weights.add(weight);
    return List.of(weight.quantized(), weight.scales(), weight.zeros());
  }
}
