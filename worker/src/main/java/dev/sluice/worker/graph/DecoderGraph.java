package dev.sluice.worker.graph;

import dev.sluice.worker.graph.Arithmetic.Product;
import dev.sluice.worker.graph.Arithmetic.Projection;
import dev.sluice.worker.graph.Arithmetic.Rows;
import dev.sluice.worker.graph.OnnxGraph.Attributes;
import dev.sluice.worker.kernel.AttentionShape;
import dev.sluice.worker.kernel.KvType;
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
 *   key_cache.i, value_cache.i   written in place, see below
 *   attention_metadata           int32 [2], on a GPU only: see {@link CudaBackend}
 *   logits                       float [S, vocabulary]
 * </pre>
 *
 * Caches are those of {@link KvType} on a CPU, with scales of their own if the type has them, and
 * [blocks, blockSize, kvHeads, D] of a type of 8 or 16 bits on a GPU.
 */
public final class DecoderGraph {
  /** Places of the inputs in {@link #inputs}; the caches follow, those of a layer together. */
  public static final int INPUT_IDS = 0;

  public static final int CUMULATIVE_LENGTHS = 1;
  public static final int PAST_LENGTHS = 2;
  public static final int BLOCK_TABLE = 3;
  public static final int LOGIT_ROWS = 4;
  public static final int FIRST_CACHE = 5;

  /** Name of the last input of a graph for a GPU. */
  public static final String ATTENTION_METADATA = "attention_metadata";

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
   * Builds the graph for a CPU.
   *
   * @throws ModelFileException if the operators cannot do what the model needs
   */
  public static DecoderGraph build(ModelConfig config, GraphOptions options) {
    if (!AttentionShape.supports(config.headSize())) {
      throw new ModelFileException(
          "%s with heads of %d (expected: %s)"
              .formatted(config.architecture(), config.headSize(), AttentionShape.HEAD_SIZES));
    }
    OnnxGraph graph = new OnnxGraph();
    List<Weight> weights = new ArrayList<>();
    float epsilon = config.normEpsilon();
    Backend backend = new CpuBackend(graph, config, options);
    Arithmetic arithmetic =
        switch (options.quantization()) {
          case INT8 -> new RowArithmetic(graph, weights, epsilon, options.integerWeights());
          case NONE, INT8_BLOCK, INT4_BLOCK ->
              floats(options.quantization(), graph, weights, epsilon, backend);
        };
    return new Builder(config, graph, weights, backend, arithmetic).build(options.maxContext());
  }

  /**
   * Builds the graph for a GPU.
   *
   * @throws IllegalArgumentException if the model or the precision is not for a GPU
   */
  public static DecoderGraph build(ModelConfig config, CudaGraphOptions options) {
    OnnxGraph graph = new OnnxGraph();
    List<Weight> weights = new ArrayList<>();
    Backend backend = new CudaBackend(graph, config, options);
    Arithmetic arithmetic =
        floats(options.quantization(), graph, weights, config.normEpsilon(), backend);
    return new Builder(config, graph, weights, backend, arithmetic).build(options.maxContext());
  }

  /** The precisions whose activations are floats. */
  static Arithmetic floats(
      Quantization quantization,
      OnnxGraph graph,
      List<Weight> weights,
      float epsilon,
      Backend backend) {
    return switch (quantization) {
      case NONE -> new FloatArithmetic(graph, weights, epsilon, backend);
      case INT8 ->
          throw new IllegalArgumentException(
              "quantization: int8 (expected on a GPU: none, int8-block or int4-block)");
      case INT8_BLOCK ->
          new BlockArithmetic(graph, weights, epsilon, backend, /* fourBits= */ false);
      case INT4_BLOCK ->
          new BlockArithmetic(graph, weights, epsilon, backend, /* fourBits= */ true);
    };
  }

  /** The inputs of a graph, in the order of their declaration. */
  static final class Inputs {
    private final OnnxGraph graph;
    private final List<String> names = new ArrayList<>();

    private Inputs(OnnxGraph graph) {
      this.graph = graph;
    }

    /** Adds one; shape as in {@link OnnxGraph#input}. */
    void add(String name, ElementType type, String... shape) {
      names.add(name);
      graph.input(name, type, shape);
    }
  }

  /** Puts the layers together out of what a precision and a processor offer. */
  static final class Builder {
    private final ModelConfig config;
    private final OnnxGraph graph;
    private final List<Weight> weights;
    private final Backend backend;
    private final Arithmetic arithmetic;

    Builder(
        ModelConfig config,
        OnnxGraph graph,
        List<Weight> weights,
        Backend backend,
        Arithmetic arithmetic) {
      this.config = config;
      this.graph = graph;
      this.weights = weights;
      this.backend = backend;
      this.arithmetic = arithmetic;
    }

    /**
     * Builds the graph.
     *
     * @param maxContext positions that the rotary tables cover
     */
    DecoderGraph build(int maxContext) {
      Inputs inputs = declareInputs();
      weights.add(
          new RotaryTable(
              maxContext, config.headSize(), config.ropeTheta(), config.rotaryScaling()));
      arithmetic.embedding(config, "input_ids", "hidden.0");
      Rows rows =
          arithmetic.norm(
              "attention_input.0", "hidden.0", norm("model.layers.0.input_layernorm.weight"));
      for (int layer = 0; layer < config.layers(); layer++) {
        rows = layer(layer, rows);
      }
      Product head = arithmetic.multiply(Arithmetic.head(config), rows);
      String logits = backend.logits(arithmetic.floats("logits", head));
      String vocabulary = Integer.toString(config.vocabularySize());
      graph.output(logits, ElementType.FLOAT, "S", vocabulary);
      List<Weight> held = weights.stream().map(backend::held).toList();
      for (Weight weight : held) {
        weight.initializers().forEach(graph::initializer);
      }
      return new DecoderGraph(graph.toByteArray(), inputs.names, logits, held);
    }

    private Inputs declareInputs() {
      Inputs inputs = new Inputs(graph);
      inputs.add("input_ids", ElementType.INT32, "T");
      inputs.add("cumulative_sequence_length", ElementType.INT32, "B1");
      inputs.add("past_seqlens", ElementType.INT32, "B");
      inputs.add("block_table", ElementType.INT32, "B", "W");
      inputs.add("logit_rows", ElementType.INT32, "S");
      backend.declareInputs(inputs);
      return inputs;
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
      String attended = attention(layer, arithmetic.floats("query_key_value" + at, qkv));
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

    private String attention(int layer, String queryKeyValue) {
      if (!config.queryKeyNorm()) {
        return backend.attend(layer, queryKeyValue, "", "");
      }
      String prefix = "model.layers." + layer + ".self_attn.";
      return backend.attend(
          layer,
          queryKeyValue,
          norm(prefix + "q_norm.weight", config.headSize()),
          norm(prefix + "k_norm.weight", config.headSize()));
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

    private String norm(String name, long size) {
      weights.add(new FloatWeight(name, List.of(name), List.of(size)));
      return name;
    }
  }
}
