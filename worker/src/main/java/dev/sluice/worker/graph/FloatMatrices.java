package dev.sluice.worker.graph;

import dev.sluice.worker.graph.OnnxGraph.Attributes;
import dev.sluice.worker.model.ModelConfig;
import java.util.List;

/**
 * float32 throughout. {@code Gemm} takes the weights as checkpoints hold them, [out, in], and packs
 * them once, so that a row's result does not depend on the number of rows.
 */
final class FloatMatrices implements Matrices {
  private final OnnxGraph graph;
  private final List<Weight> weights;

  FloatMatrices(OnnxGraph graph, List<Weight> weights) {
    this.graph = graph;
    this.weights = weights;
  }

  @Override
  public void embedding(ModelConfig config, String input, String output) {
    weights.add(weight(EMBEDDING, List.of(EMBEDDING), config));
    graph.node(
        "", "Gather", List.of(EMBEDDING, input), List.of(output), new Attributes().with("axis", 0));
  }

  @Override
  public void linear(
      String name, List<String> sources, long rows, long columns, String input, String output) {
    weights.add(new FloatWeight(name, sources, List.of(rows, columns)));
    multiply(name, input, output);
  }

  @Override
  public void head(ModelConfig config, String input, String output) {
    String source = Matrices.headSource(config);
    if (!config.tiedHead()) {
      weights.add(weight(source, List.of(source), config));
    }
    multiply(source, input, output);
  }

  private void multiply(String weight, String input, String output) {
    graph.node(
        "", "Gemm", List.of(input, weight), List.of(output), new Attributes().with("transB", 1));
  }

  private static FloatWeight weight(String name, List<String> sources, ModelConfig config) {
    return new FloatWeight(
        name, sources, List.of((long) config.vocabularySize(), (long) config.hiddenSize()));
  }
}
