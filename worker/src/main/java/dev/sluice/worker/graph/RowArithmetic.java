package dev.sluice.worker.graph;

import dev.sluice.worker.graph.OnnxGraph.Attributes;
import dev.sluice.worker.model.ModelConfig;
import dev.sluice.worker.ort.ElementType;
import java.util.List;

/**
 * int8 weights with a scale for every output, times uint8 activations with a scale for every row:
 * {@code MatMulInteger} between operators of our own. Sums are exact integers and every row is
 * quantised alone, so that a row's result depends on nothing but the row.
 *
 * <p>Both sides are rotated before they are rounded, see {@code kernel.Rotation}.
 *
 * <pre>
 *   rows       uint8 [T, K] in rotated order, 128 is zero; float [T, 1], a scale for every row
 *   product    int32 [T, N]; float [T, 1], the rows' scales; float [N], the outputs' scales;
 *              float [N], the bias, or no name
 * </pre>
 */
final class RowArithmetic implements Arithmetic {
  private static final String ACTIVATION_ZERO = "activation_zero";
  private static final String WEIGHT_ZERO = "weight_zero";

  private final OnnxGraph graph;
  private final List<Weight> weights;
  private final float normEpsilon;
  private final IntegerWeights integers;

  RowArithmetic(OnnxGraph graph, List<Weight> weights, float normEpsilon, IntegerWeights integers) {
    this.graph = graph;
    this.weights = weights;
    this.normEpsilon = normEpsilon;
    this.integers = integers;
    declareZeros(graph, integers);
  }

  private static void declareZeros(OnnxGraph graph, IntegerWeights integers) {
    byte[] activation = {(byte) RowWeight.ACTIVATION_ZERO};
    byte[] weight = {(byte) integers.zero()};
    graph.constant(ACTIVATION_ZERO, ElementType.UINT8, List.of(), activation);
    graph.constant(WEIGHT_ZERO, integers.type(), List.of(), weight);
  }

  /**
   * A model of nothing but one integer product, to find out whether it is exact: {@code rows} uint8
   * [T, inputs], {@code product} int32 [T, outputs].
   *
   * @param weights [inputs, outputs], -127 to 127
   */
  static byte[] product(IntegerWeights integers, byte[] weights, int inputs, int outputs) {
    OnnxGraph graph = new OnnxGraph();
    declareZeros(graph, integers);
    byte[] content = new byte[weights.length];
    for (int i = 0; i < content.length; i++) {
      content[i] = (byte) (weights[i] + integers.zero());
    }
    graph.constant("weights", integers.type(), List.of((long) inputs, (long) outputs), content);
    graph.input("rows", ElementType.UINT8, "T", Integer.toString(inputs));
    multiply(graph, "rows", "weights", "product");
    graph.output("product", ElementType.INT32, "T", Integer.toString(outputs));
    return graph.toByteArray();
  }

  private static void multiply(OnnxGraph graph, String rows, String weight, String product) {
    graph.node(
        "",
        "MatMulInteger",
        List.of(rows, weight, ACTIVATION_ZERO, WEIGHT_ZERO),
        List.of(product),
        new Attributes());
  }

  /** In blocks of 32: lookups cost nothing, so they get the finer scales. */
  @Override
  public void embedding(ModelConfig config, String input, String output) {
    BlockArithmetic.embedding(graph, weights, config, input, output);
  }

  @Override
  public Rows norm(String name, String input, String weight) {
    return quantizing("NormQuantize", name, List.of(input, weight), "", withEpsilon());
  }

  @Override
  public Rows rows(String name, String input) {
    return quantizing("Quantize", name + ".rows", List.of(input), "", new Attributes());
  }

  @Override
  public Product multiply(Projection projection, Rows input) {
    RowWeight weight =
        new RowWeight(
            projection.name(),
            projection.weights(),
            projection.outputs(),
            projection.inputs(),
            integers);
    weights.add(weight);
    String output = projection.name() + ".output";
    multiply(graph, input.tensor(0), weight.quantized(), output);
    return Product.of(
        output, input.tensor(1), weight.scales(), FloatWeight.bias(projection, weights));
  }

  @Override
  public String floats(String name, Product product) {
    boolean biased = !product.tensor(3).isEmpty();
    graph.node(
        OnnxGraph.SLUICE,
        "Rescale",
        biased ? product.tensors() : product.tensors().subList(0, 3),
        List.of(name),
        new Attributes());
    return name;
  }

  @Override
  public Rows addAndNorm(String name, Product product, String residual, String weight, String sum) {
    return quantizing(
        "RescaleAddNormQuantize",
        name,
        List.of(product.tensor(0), product.tensor(1), product.tensor(2), residual, weight),
        sum.isEmpty() ? name + ".sum" : sum,
        withEpsilon());
  }

  @Override
  public Rows swiGlu(String name, Product product) {
    return quantizing(
        "RescaleSwiGluQuantize", name, product.tensors().subList(0, 3), "", new Attributes());
  }

  /**
   * @param sum name of a first output, or empty
   */
  private Rows quantizing(
      String type, String name, List<String> inputs, String sum, Attributes attributes) {
    Rows rows = Rows.of(name + ".quantized", name + ".scales");
    graph.node(
        OnnxGraph.SLUICE,
        type,
        inputs,
        sum.isEmpty() ? rows.tensors() : List.of(rows.tensor(0), rows.tensor(1), sum),
        attributes);
    return rows;
  }

  private Attributes withEpsilon() {
    return new Attributes().with("epsilon", normEpsilon);
  }
}
