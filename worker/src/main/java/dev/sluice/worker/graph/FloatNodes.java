package dev.sluice.worker.graph;

import dev.sluice.worker.graph.OnnxGraph.Attributes;
import java.util.List;

/**
 * The nodes between projections where activations are floats, of 32 or 16 bits: rows and products
 * are one tensor each.
 */
abstract class FloatNodes implements Arithmetic {
  final OnnxGraph graph;
  final List<Weight> weights;
  private final float normEpsilon;
  private final Backend backend;

  FloatNodes(OnnxGraph graph, List<Weight> weights, float normEpsilon, Backend backend) {
    this.graph = graph;
    this.weights = weights;
    this.normEpsilon = normEpsilon;
    this.backend = backend;
  }

  @Override
  public final Rows norm(String name, String input, String weight) {
    graph.node(
        "",
        "SimplifiedLayerNormalization",
        List.of(input, weight),
        List.of(name),
        new Attributes().with("axis", -1).with("epsilon", normEpsilon));
    return Rows.of(name);
  }

  @Override
  public final Rows rows(String name, String input) {
    return Rows.of(input);
  }

  @Override
  public final String floats(String name, Product product) {
    return product.tensor(0);
  }

  @Override
  public final Rows addAndNorm(
      String name, Product product, String residual, String weight, String sum) {
    graph.node(
        OnnxGraph.MICROSOFT,
        "SkipSimplifiedLayerNormalization",
        List.of(product.tensor(0), residual, weight),
        sum.isEmpty() ? List.of(name) : List.of(name, "", "", sum),
        new Attributes().with("epsilon", normEpsilon));
    return Rows.of(name);
  }

  @Override
  public final Rows swiGlu(String name, Product product) {
    backend.swiGlu(product.tensor(0), name);
    return Rows.of(name);
  }

  /** The name of a projection's bias, which becomes an initializer; empty if it has none. */
  final String bias(Projection projection) {
    return FloatWeight.bias(projection, weights);
  }
}
