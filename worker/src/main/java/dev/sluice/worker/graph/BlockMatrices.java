package dev.sluice.worker.graph;

import dev.sluice.worker.graph.OnnxGraph.Attributes;
import dev.sluice.worker.model.ModelConfig;
import java.util.List;

/** Matrices in 8 bits with a scale for every 32 weights: {@code MatMulNBits}. */
final class BlockMatrices implements Matrices {
  private static final int BITS = 8;

  /** Multiply in int8; without it every call would turn the weights back into float32. */
  private static final int ACCURACY_INT8 = 4;

  private final OnnxGraph graph;
  private final List<Weight> weights;

  BlockMatrices(OnnxGraph graph, List<Weight> weights) {
    this.graph = graph;
    this.weights = weights;
  }

  @Override
  public void embedding(ModelConfig config, String input, String output) {
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

  @Override
  public void linear(
      String name, List<String> sources, long rows, long columns, String input, String output) {
    BlockWeight weight = new BlockWeight(name, sources, rows, columns, /* blocked= */ true);
    weights.add(weight);
    graph.node(
        OnnxGraph.MICROSOFT,
        "MatMulNBits",
        List.of(input, weight.quantized(), weight.scales()),
        List.of(output),
        new Attributes()
            .with("K", columns)
            .with("N", rows)
            .with("bits", BITS)
            .with("block_size", BlockWeight.BLOCK)
            .with("accuracy_level", ACCURACY_INT8));
  }

  /**
   * A tied head is a second copy of the embedding: it is repacked for multiplication and the
   * original freed, whereas a tensor with two users would be kept as well.
   */
  @Override
  public void head(ModelConfig config, String input, String output) {
    linear(
        "head",
        List.of(Matrices.headSource(config)),
        config.vocabularySize(),
        config.hiddenSize(),
        input,
        output);
  }
}
