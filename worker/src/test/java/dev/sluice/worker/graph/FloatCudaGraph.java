package dev.sluice.worker.graph;

import dev.sluice.worker.graph.OnnxGraph.Attributes;
import dev.sluice.worker.model.ModelConfig;
import dev.sluice.worker.ort.ElementType;
import java.util.ArrayList;
import java.util.List;

/** A GPU's graph in float32 but for the attention, which has casts around it. */
final class FloatCudaGraph implements Backend {
  private final OnnxGraph graph;
  private final CudaGraphOptions options;
  private final Backend cuda;

  private FloatCudaGraph(OnnxGraph graph, ModelConfig config, CudaGraphOptions options) {
    this.graph = graph;
    this.options = options;
    this.cuda = new CudaBackend(graph, config, options);
  }

  static DecoderGraph build(ModelConfig config, CudaGraphOptions options) {
    OnnxGraph graph = new OnnxGraph();
    List<Weight> weights = new ArrayList<>();
    Backend backend = new FloatCudaGraph(graph, config, options);
    Arithmetic arithmetic =
        DecoderGraph.floats(options.quantization(), graph, weights, config.normEpsilon(), backend);
    return new DecoderGraph.Builder(config, graph, weights, backend, arithmetic)
        .build(options.maxContext());
  }

  @Override
  public void declareInputs(DecoderGraph.Inputs inputs) {
    cuda.declareInputs(inputs);
  }

  @Override
  public String attend(int layer, String queryKeyValue, String queryNorm, String keyNorm) {
    ElementType half = options.type().elementType();
    String output =
        cuda.attend(layer, cast(queryKeyValue, half), cast(queryNorm, half), cast(keyNorm, half));
    return cast(output, ElementType.FLOAT);
  }

  private String cast(String tensor, ElementType type) {
    if (tensor.isEmpty()) {
      return "";
    }
    String output = tensor + "." + type;
    graph.node(
        "", "Cast", List.of(tensor), List.of(output), new Attributes().with("to", type.number()));
    return output;
  }

  @Override
  public void swiGlu(String input, String output) {
    cuda.swiGlu(input, output);
  }

  @Override
  public String logits(String product) {
    return cuda.logits(product);
  }

  @Override
  public Weight held(Weight weight) {
    return weight instanceof RotaryTable ? cuda.held(weight) : weight;
  }
}
