package dev.sluice.worker.graph;

import dev.sluice.worker.graph.OnnxGraph.Attributes;
import dev.sluice.worker.model.ModelConfig;
import dev.sluice.worker.ort.ElementType;
import java.util.ArrayList;
import java.util.List;

/**
 * Operators that ONNX Runtime has for CUDA, in 16 bits. {@code attention_metadata} stays in CPU
 * memory and bounds the lengths of a step's sequences, so that the operator need not ask the GPU:
 *
 * <pre>
 *   [0] most tokens of a sequence in this step
 *   [1] most tokens of a sequence, those in the cache included
 * </pre>
 */
final class CudaBackend implements Backend {
  private static final String K_SCALE = "k_scale";
  private static final String V_SCALE = "v_scale";
  private static final byte[] FLOAT_ONE = {0, 0, (byte) 0x80, 0x3f};

  private final OnnxGraph graph;
  private final ModelConfig config;
  private final CudaGraphOptions options;

  CudaBackend(OnnxGraph graph, ModelConfig config, CudaGraphOptions options) {
    this.graph = graph;
    this.config = config;
    this.options = options;
    if (config.headSize() % 16 != 0) {
      throw new IllegalArgumentException(
          "headSize: " + config.headSize() + " (expected on a GPU: a multiple of 16)");
    }
    if (options.cache() == CudaCache.FLOAT8) {
      graph.constant(K_SCALE, ElementType.FLOAT, List.of(1L), FLOAT_ONE);
      graph.constant(V_SCALE, ElementType.FLOAT, List.of(1L), FLOAT_ONE);
    }
  }

  @Override
  public void declareInputs(DecoderGraph.Inputs inputs) {
    ElementType type = options.cache().elementType(options.type());
    String[] shape = {
      "blocks",
      Integer.toString(CudaCache.blockSize(config.headSize())),
      Integer.toString(config.kvHeads()),
      Integer.toString(config.headSize())
    };
    for (int layer = 0; layer < config.layers(); layer++) {
      inputs.add("key_cache." + layer, type, shape);
      inputs.add("value_cache." + layer, type, shape);
    }
    inputs.add(DecoderGraph.ATTENTION_METADATA, ElementType.INT32, "2");
  }

  /** The optional outputs for the caches are left out: then they are written where they lie. */
  @Override
  public String attend(int layer, String queryKeyValue, String queryNorm, String keyNorm) {
    String output = "attention_output." + layer;
    boolean scaled = options.cache() == CudaCache.FLOAT8;
    List<String> inputs = new ArrayList<>(CpuBackend.pagedAttentionInputs(layer, queryKeyValue));
    inputs.addAll(List.of("", "", queryNorm, keyNorm)); // no slot mapping, no sinks
    inputs.addAll(scaled ? List.of(K_SCALE, V_SCALE) : List.of("", ""));
    inputs.add(DecoderGraph.ATTENTION_METADATA);
    Attributes attributes = CpuBackend.pagedAttentionAttributes(config).with("do_rotary", 1);
    if (scaled) {
      attributes.with("k_quant_type", "PER_TENSOR").with("v_quant_type", "PER_TENSOR");
    }
    graph.node(options.attentionDomain(), "PagedAttention", inputs, List.of(output), attributes);
    return output;
  }

  /** QuickGelu is x * sigmoid(alpha * x): with 1 it is silu. */
  @Override
  public void swiGlu(String input, String output) {
    String gate = output + ".gate";
    String up = output + ".up";
    String activated = output + ".silu";
    graph.node(
        "",
        "Split",
        List.of(input),
        List.of(gate, up),
        new Attributes().with("axis", -1).with("num_outputs", 2));
    graph.node(
        OnnxGraph.MICROSOFT,
        "QuickGelu",
        List.of(gate),
        List.of(activated),
        new Attributes().with("alpha", 1f));
    graph.node("", "Mul", List.of(activated, up), List.of(output), new Attributes());
  }

  @Override
  public String logits(String product) {
    graph.node(
        "",
        "Cast",
        List.of(product),
        List.of("logits"),
        new Attributes().with("to", ElementType.FLOAT.number()));
    return "logits";
  }

  @Override
  public Weight held(Weight weight) {
    return new HalfWeight(weight, options.type());
  }
}
