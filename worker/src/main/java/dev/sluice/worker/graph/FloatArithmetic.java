package dev.sluice.worker.graph;

import dev.sluice.worker.graph.OnnxGraph.Attributes;
import dev.sluice.worker.model.ModelConfig;
import java.util.List;

/**
 * Floats throughout. {@code Gemm} takes the weights as checkpoints hold them, [out, in]; on a CPU
 * it packs them once, so that a row's result does not depend on the number of rows.
 */
final class FloatArithmetic extends FloatNodes {
  FloatArithmetic(OnnxGraph graph, List<Weight> weights, float normEpsilon, Backend backend) {
    super(graph, weights, normEpsilon, backend);
  }

  @Override
  public void embedding(ModelConfig config, String input, String output) {
    weights.add(
        new FloatWeight(
            EMBEDDING,
            List.of(EMBEDDING),
            List.of((long) config.vocabularySize(), (long) config.hiddenSize())));
    graph.node(
        "", "Gather", List.of(EMBEDDING, input), List.of(output), new Attributes().with("axis", 0));
  }

  @Override
  public Product multiply(Projection projection, Rows input) {
    String output = projection.name() + ".output";
    String bias = bias(projection);
    List<String> operands = List.of(input.tensor(0), weight(projection), bias);
    graph.node(
        "",
        "Gemm",
        bias.isEmpty() ? operands.subList(0, 2) : operands,
        List.of(output),
        new Attributes().with("transB", 1));
    return Product.of(output);
  }

  /** A tied head is the embedding itself. */
  private String weight(Projection projection) {
    if (projection.weights().equals(List.of(EMBEDDING))) {
      return EMBEDDING;
    }
    weights.add(
        new FloatWeight(
            projection.name(),
            projection.weights(),
            List.of(projection.outputs(), projection.inputs())));
    return projection.name();
  }
}
