package dev.sluice.worker.graph;

import dev.sluice.worker.graph.OnnxGraph.Attributes;
import dev.sluice.worker.model.ModelConfig;
import dev.sluice.worker.ort.ElementType;
import java.util.ArrayList;
import java.util.List;

/**
 * The graph of a decoder of the Llama kind. All inputs of a step are packed over its T tokens,
 * without padding; B sequences, of which S rows need logits:
 *
 * <pre>
 *   input_ids                    int32 [T]
 *   cumulative_sequence_length   int32 [B + 1]
 *   past_seqlens                 int32 [B]
 *   block_table                  int32 [B, W]
 *   logit_rows                   int32 [S]
 *   key_cache.i, value_cache.i   float [blocks, kvHeads, D, 16] and [blocks, kvHeads, 16, D],
 *                                written in place
 *   logits                       float [S, vocabulary]
 * </pre>
 */
public final class DecoderGraph {
  /** Places of the inputs in {@link #inputs}; the caches follow, key and value of each layer. */
  public static final int INPUT_IDS = 0;

  public static final int CUMULATIVE_LENGTHS = 1;
  public static final int PAST_LENGTHS = 2;
  public static final int BLOCK_TABLE = 3;
  public static final int LOGIT_ROWS = 4;
  public static final int FIRST_CACHE = 5;

  /** The file that has the initializers' content, in the order of {@link #weights}. */
  public static final String WEIGHTS = "weights";

  /** The name of the only output. */
  public static final String LOGITS = "logits";

  private final byte[] model;
  private final List<String> inputs;
  private final List<Weight> weights;

  private DecoderGraph(byte[] model, List<String> inputs, List<Weight> weights) {
    this.model = model;
    this.inputs = List.copyOf(inputs);
    this.weights = List.copyOf(weights);
  }

  /** A {@code ModelProto}, serialized. */
  public byte[] model() {
    return model.clone();
  }

  /** Names of the inputs, in the order above. */
  public List<String> inputs() {
    return inputs;
  }

  /** What gives the initializers their content. */
  public List<Weight> weights() {
    return weights;
  }

  /**
   * Builds the graph.
   *
   * @param maxContext positions that the rotary tables cover
   * @param blockSize tokens of a KV block
   */
  public static DecoderGraph build(
      ModelConfig config, Quantization quantization, int maxContext, int blockSize) {
    return new Builder(config, quantization, maxContext, blockSize).build();
  }

  private static final class Builder {
    private final ModelConfig config;
    private final int blockSize;
    private final OnnxGraph graph = new OnnxGraph();
    private final List<String> inputs = new ArrayList<>();
    private final List<Weight> weights = new ArrayList<>();
    private final Matrices matrices;
    private final int maxContext;

    Builder(ModelConfig config, Quantization quantization, int maxContext, int blockSize) {
      this.config = config;
      this.maxContext = maxContext;
      this.blockSize = blockSize;
      this.matrices =
          switch (quantization) {
            case NONE -> new FloatMatrices(graph, weights);
            case INT8_BLOCK -> new BlockMatrices(graph, weights);
          };
    }

    DecoderGraph build() {
      declareInputs();
      weights.add(new RotaryTable(maxContext, config.headSize(), config.ropeTheta()));
      matrices.embedding(config, "input_ids", "hidden.0");
      node(
          "",
          "SimplifiedLayerNormalization",
          List.of("hidden.0", norm("model.layers.0.input_layernorm.weight")),
          List.of("attention_input.0"),
          new Attributes().with("axis", -1).with("epsilon", config.normEpsilon()));
      for (int layer = 0; layer < config.layers(); layer++) {
        layer(layer);
      }
      node(
          "",
          "Gather",
          List.of("attention_input." + config.layers(), "logit_rows"),
          List.of("head_input"),
          new Attributes().with("axis", 0));
      matrices.head(config, "head_input", LOGITS);
      graph.output(LOGITS, ElementType.FLOAT, "S", Integer.toString(config.vocabularySize()));
      for (Weight weight : weights) {
        weight.initializers().forEach(graph::initializer);
      }
      return new DecoderGraph(graph.toByteArray(), inputs, weights);
    }

    private void declareInputs() {
      input("input_ids", ElementType.INT32, "T");
      input("cumulative_sequence_length", ElementType.INT32, "B1");
      input("past_seqlens", ElementType.INT32, "B");
      input("block_table", ElementType.INT32, "B", "W");
      input("logit_rows", ElementType.INT32, "S");
      String kvHeads = Integer.toString(config.kvHeads());
      String headSize = Integer.toString(config.headSize());
      String slots = Integer.toString(blockSize);
      for (int layer = 0; layer < config.layers(); layer++) {
        input("key_cache." + layer, ElementType.FLOAT, "blocks", kvHeads, headSize, slots);
        input("value_cache." + layer, ElementType.FLOAT, "blocks", kvHeads, slots, headSize);
      }
    }

    /** From {@code attention_input.i} and {@code hidden.i} to those of i + 1. */
    private void layer(int layer) {
      String prefix = "model.layers." + layer + ".";
      String at = "." + layer;
      matrices.linear(
          "qkv" + at,
          List.of(
              prefix + "self_attn.q_proj.weight",
              prefix + "self_attn.k_proj.weight",
              prefix + "self_attn.v_proj.weight"),
          (long) (config.heads() + 2 * config.kvHeads()) * config.headSize(),
          config.hiddenSize(),
          "attention_input" + at,
          "qkv_output" + at);
      attention(at);
      matrices.linear(
          "attention_projection" + at,
          List.of(prefix + "self_attn.o_proj.weight"),
          config.hiddenSize(),
          (long) config.heads() * config.headSize(),
          "attention_output" + at,
          "attention_delta" + at);
      addAndNorm(
          "attention_delta" + at,
          "hidden" + at,
          norm(prefix + "post_attention_layernorm.weight"),
          "feed_forward_input" + at,
          "middle" + at);
      matrices.linear(
          "gate_up" + at,
          List.of(prefix + "mlp.gate_proj.weight", prefix + "mlp.up_proj.weight"),
          2L * config.intermediateSize(),
          config.hiddenSize(),
          "feed_forward_input" + at,
          "gate_up_output" + at);
      node(
          OnnxGraph.SLUICE,
          "SwiGlu",
          List.of("gate_up_output" + at),
          List.of("activated" + at),
          new Attributes());
      matrices.linear(
          "down" + at,
          List.of(prefix + "mlp.down_proj.weight"),
          config.hiddenSize(),
          config.intermediateSize(),
          "activated" + at,
          "feed_forward_delta" + at);
      boolean last = layer == config.layers() - 1;
      addAndNorm(
          "feed_forward_delta" + at,
          "middle" + at,
          norm(
              last
                  ? "model.norm.weight"
                  : "model.layers." + (layer + 1) + ".input_layernorm.weight"),
          "attention_input." + (layer + 1),
          last ? "" : "hidden." + (layer + 1));
    }

    private void attention(String at) {
      node(
          OnnxGraph.SLUICE,
          "PagedAttention",
          List.of(
              "qkv_output" + at,
              "",
              "",
              "key_cache" + at,
              "value_cache" + at,
              "cumulative_sequence_length",
              "past_seqlens",
              "block_table",
              RotaryTable.COSINE,
              RotaryTable.SINE),
          List.of("attention_output" + at),
          new Attributes()
              .with("num_heads", config.heads())
              .with("kv_num_heads", config.kvHeads())
              .with("head_size", config.headSize())
              .with("scale", (float) (1 / Math.sqrt(config.headSize()))));
    }

    /**
     * @param sum name of delta + residual, or empty if nobody needs it
     */
    private void addAndNorm(
        String delta, String residual, String weight, String normed, String sum) {
      node(
          OnnxGraph.MICROSOFT,
          "SkipSimplifiedLayerNormalization",
          List.of(delta, residual, weight),
          sum.isEmpty() ? List.of(normed) : List.of(normed, "", "", sum),
          new Attributes().with("epsilon", config.normEpsilon()));
    }

    /** The name of a norm's weight, which becomes an initializer. */
    private String norm(String name) {
      weights.add(new FloatWeight(name, List.of(name), List.of((long) config.hiddenSize())));
      return name;
    }

    private void input(String name, ElementType type, String... shape) {
      inputs.add(name);
      graph.input(name, type, shape);
    }

    private void node(
        String domain,
        String type,
        List<String> nodeInputs,
        List<String> nodeOutputs,
        Attributes attributes) {
      graph.node(domain, type, nodeInputs, nodeOutputs, attributes);
    }
  }
}
