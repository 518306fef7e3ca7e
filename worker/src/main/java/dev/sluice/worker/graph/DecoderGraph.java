package dev.sluice.worker.graph;

import dev.sluice.worker.graph.Arithmetic.Product;
import dev.sluice.worker.graph.Arithmetic.Projection;
import dev.sluice.worker.graph.Arithmetic.Rows;
import dev.sluice.worker.graph.OnnxGraph.Attributes;
import dev.sluice.worker.kernel.AttentionShape;
import dev.sluice.worker.model.ModelConfig;
import dev.sluice.worker.model.ModelFileException;
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
 *   key_cache.i, value_cache.i   [blocks, ...], see {@link KvType}; written in place
 *   key_scale_cache.i, value_scale_cache.i   only if the type has them
 *   logits                       float [S, vocabulary]
 * </pre>
 */
public final class DecoderGraph {
  /** Places of the inputs in {@link #inputs}; the caches follow, those of a layer together. */
  public static final int INPUT_IDS = 0;

  public static final int CUMULATIVE_LENGTHS = 1;
  public static final int PAST_LENGTHS = 2;
  public static final int BLOCK_TABLE = 3;
  public static final int LOGIT_ROWS = 4;
  public static final int FIRST_CACHE = 5;

  /** The file that has the initializers' content, in the order of {@link #weights}. */
  public static final String WEIGHTS = "weights";

  private final byte[] model;
  private final List<String> inputs;
  private final String logits;
  private final List<Weight> weights;

  private DecoderGraph(byte[] model, List<String> inputs, String logits, List<Weight> weights) {
    this.model = model;
    this.inputs = List.copyOf(inputs);
    this.logits = logits;
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

  /** The name of the only output. */
  public String logits() {
    return logits;
  }

  /** What gives the initializers their content. */
  public List<Weight> weights() {
    return weights;
  }

  /**
   * Builds the graph.
   *
   * @throws ModelFileException if the operators cannot do what the model needs
   */
  public static DecoderGraph build(ModelConfig config, GraphOptions options) {
    if (!AttentionShape.supports(config.headSize())) {
      throw new ModelFileException(
          "%s with heads of %d (expected: %s)"
              .formatted(config.architecture(), config.headSize(), AttentionShape.HEAD_SIZES));
    }
    return new Builder(config, options).build();
  }

  private static final class Builder {
    private final ModelConfig config;
    private final GraphOptions options;
    private final OnnxGraph graph = new OnnxGraph();
    private final List<String> inputs = new ArrayList<>();
    private final List<Weight> weights = new ArrayList<>();
    private final List<KvTensor> caches;
    private final Arithmetic arithmetic;

    Builder(ModelConfig config, GraphOptions options) {
      this.config = config;
      this.options = options;
      this.caches =
          options.kvType().tensors(config.kvHeads(), config.headSize(), options.blockSize());
      float epsilon = config.normEpsilon();
      this.arithmetic =
          switch (options.quantization()) {
            case NONE -> new FloatArithmetic(graph, weights, epsilon);
            case INT8 -> new RowArithmetic(graph, weights, epsilon, options.integerWeights());
            case INT8_BLOCK -> new BlockArithmetic(graph, weights, epsilon, /* fourBits= */ false);
            case INT4_BLOCK -> new BlockArithmetic(graph, weights, epsilon, /* fourBits= */ true);
          };
    }

    DecoderGraph build() {
      declareInputs();
      weights.add(
          new RotaryTable(
              options.maxContext(), config.headSize(), config.ropeTheta(), config.rotaryScaling()));
      arithmetic.embedding(config, "input_ids", "hidden.0");
      Rows rows =
          arithmetic.norm(
              "attention_input.0", "hidden.0", norm("model.layers.0.input_layernorm.weight"));
      for (int layer = 0; layer < config.layers(); layer++) {
        rows = layer(layer, rows);
      }
      Product head = arithmetic.multiply(Arithmetic.head(config), rows);
      String logits = arithmetic.floats("logits", head);
      String vocabulary = Integer.toString(config.vocabularySize());
      graph.output(logits, ElementType.FLOAT, "S", vocabulary);
      for (Weight weight : weights) {
        weight.initializers().forEach(graph::initializer);
      }
      return new DecoderGraph(graph.toByteArray(), inputs, logits, weights);
    }

    private void declareInputs() {
      input("input_ids", ElementType.INT32, "T");
      input("cumulative_sequence_length", ElementType.INT32, "B1");
      input("past_seqlens", ElementType.INT32, "B");
      input("block_table", ElementType.INT32, "B", "W");
      input("logit_rows", ElementType.INT32, "S");
      for (int layer = 0; layer < config.layers(); layer++) {
        for (KvTensor cache : caches) {
          List<String> shape = new ArrayList<>(List.of("blocks"));
          cache.blockShape().forEach(dimension -> shape.add(Long.toString(dimension)));
          input(cache.name() + "." + layer, cache.type(), shape.toArray(String[]::new));
        }
      }
    }

    /**
     * From the rows of one layer, and {@code hidden.i}, to those of the next.
     *
     * <p>Behind the last layer's attention nobody looks at the tokens that need no logits: only the
     * others go on.
     */
    private Rows layer(int layer, Rows attentionInput) {
      String prefix = "model.layers." + layer + ".";
      String at = "." + layer;
      boolean last = layer == config.layers() - 1;
      long attentionWidth = (long) config.heads() * config.headSize();

      Product qkv = arithmetic.multiply(queryKeyValue(prefix, at), attentionInput);
      String attended = attention(prefix, at, arithmetic.floats("query_key_value" + at, qkv));
      String residual = "hidden" + at;
      if (last) {
        attended = logitRows(attended);
        residual = logitRows(residual);
      }
      Product projected =
          arithmetic.multiply(
              projection(
                  "attention_projection" + at,
                  List.of(prefix + "self_attn.o_proj.weight"),
                  config.hiddenSize(),
                  attentionWidth),
              arithmetic.rows("attended" + at, attended));
      Rows feedForwardInput =
          arithmetic.addAndNorm(
              "feed_forward_input" + at,
              projected,
              residual,
              norm(prefix + "post_attention_layernorm.weight"),
              "middle" + at);
      Product gateUp =
          arithmetic.multiply(
              projection(
                  "gate_up" + at,
                  List.of(prefix + "mlp.gate_proj.weight", prefix + "mlp.up_proj.weight"),
                  2L * config.intermediateSize(),
                  config.hiddenSize()),
              feedForwardInput);
      Product down =
          arithmetic.multiply(
              projection(
                  "down" + at,
                  List.of(prefix + "mlp.down_proj.weight"),
                  config.hiddenSize(),
                  config.intermediateSize()),
              arithmetic.swiGlu("activated" + at, gateUp));
      return arithmetic.addAndNorm(
          last ? "head_input" : "attention_input." + (layer + 1),
          down,
          "middle" + at,
          norm(
              last
                  ? "model.norm.weight"
                  : "model.layers." + (layer + 1) + ".input_layernorm.weight"),
          last ? "" : "hidden." + (layer + 1));
    }

    private Projection queryKeyValue(String prefix, String at) {
      String attention = prefix + "self_attn.";
      return new Projection(
          "query_key_value_projection" + at,
          List.of(
              attention + "q_proj.weight",
              attention + "k_proj.weight",
              attention + "v_proj.weight"),
          config.attentionBias()
              ? List.of(
                  attention + "q_proj.bias", attention + "k_proj.bias", attention + "v_proj.bias")
              : List.of(),
          (long) (config.heads() + 2 * config.kvHeads()) * config.headSize(),
          config.hiddenSize());
    }

    private static Projection projection(
        String name, List<String> sources, long outputs, long inputs) {
      return new Projection(name, sources, List.of(), outputs, inputs);
    }

    private String attention(String prefix, String at, String queryKeyValue) {
      List<String> operands =
          new ArrayList<>(
              List.of(
                  queryKeyValue,
                  "",
                  "",
                  caches.get(0).name() + at,
                  caches.get(1).name() + at,
                  "cumulative_sequence_length",
                  "past_seqlens",
                  "block_table",
                  RotaryTable.COSINE,
                  RotaryTable.SINE));
      Attributes attributes =
          new Attributes()
              .with("num_heads", config.heads())
              .with("kv_num_heads", config.kvHeads())
              .with("head_size", config.headSize())
              .with("scale", (float) (1 / Math.sqrt(config.headSize())));
      if (config.slidingWindow() > 0) {
        attributes.with("local_window_size", config.slidingWindow());
      }
      operands.addAll(List.of("", "")); // slot mapping, head sinks
      if (config.queryKeyNorm()) {
        operands.add(norm(prefix + "self_attn.q_norm.weight", config.headSize()));
        operands.add(norm(prefix + "self_attn.k_norm.weight", config.headSize()));
        attributes.with("qk_norm_epsilon", config.normEpsilon());
      } else {
        operands.addAll(List.of("", ""));
      }
      for (KvTensor scales : caches.subList(2, caches.size())) {
        operands.add(scales.name() + at);
      }
      String output = "attention_output" + at;
      graph.node(OnnxGraph.SLUICE, "PagedAttention", operands, List.of(output), attributes);
      return output;
    }

    /** The rows of a tensor that need logits. */
    private String logitRows(String tensor) {
      String rows = tensor + ".logit_rows";
      graph.node(
          "",
          "Gather",
          List.of(tensor, "logit_rows"),
          List.of(rows),
          new Attributes().with("axis", 0));
      return rows;
    }

    /** The name of a norm's weight, which becomes an initializer. */
    private String norm(String name) {
      return norm(name, config.hiddenSize());
    }

    private String norm(String name, long width) {
      weights.add(new FloatWeight(name, List.of(name), List.of(width)));
      return name;
    }

    private void input(String name, ElementType type, String... shape) {
      inputs.add(name);
      graph.input(name, type, shape);
    }
  }
}
