package dev.sluice.worker.graph;

import dev.sluice.worker.graph.OnnxGraph.Attributes;
import dev.sluice.worker.model.ModelConfig;
import dev.sluice.worker.ort.ElementType;
import java.util.ArrayList;
import java.util.List;

/** Attention and activation by operators of our own, in float32. */
final class CpuBackend implements Backend {
  private final OnnxGraph graph;
  private final ModelConfig config;
  private final int blockSize;

  /**
   * @param blockSize tokens of a KV block
   */
  CpuBackend(OnnxGraph graph, ModelConfig config, int blockSize) {
    this.graph = graph;
    this.config = config;
    this.blockSize = blockSize;
  }

  @Override
  public void declareInputs(DecoderGraph.Inputs inputs) {
    String kvHeads = Integer.toString(config.kvHeads());
    String headSize = Integer.toString(config.headSize());
    String slots = Integer.toString(blockSize);
    for (int layer = 0; layer < config.layers(); layer++) {
      inputs.add("key_cache." + layer, ElementType.FLOAT, "blocks", kvHeads, headSize, slots);
      inputs.add("value_cache." + layer, ElementType.FLOAT, "blocks", kvHeads, slots, headSize);
    }
  }

  @Override
  public String attend(int layer, String queryKeyValue, String queryNorm, String keyNorm) {
    String output = "attention_output." + layer;
    List<String> inputs = new ArrayList<>(pagedAttentionInputs(layer, queryKeyValue));
    if (!queryNorm.isEmpty()) {
      inputs.addAll(List.of("", "", queryNorm, keyNorm));
    }
    graph.node(
        OnnxGraph.SLUICE,
        "PagedAttention",
        inputs,
        List.of(output),
        pagedAttentionAttributes(config).with("head_size", config.headSize()));
    return output;
  }

  /** The first ten inputs of {@code PagedAttention}, ours and that of ONNX Runtime. */
  static List<String> pagedAttentionInputs(int layer, String queryKeyValue) {
    return List.of(
        queryKeyValue,
        "",
        "",
        "key_cache." + layer,
        "value_cache." + layer,
        "cumulative_sequence_length",
        "past_seqlens",
        "block_table",
        RotaryTable.COSINE,
        RotaryTable.SINE);
  }

  /** The attributes that both have. */
  static Attributes pagedAttentionAttributes(ModelConfig config) {
    Attributes attributes =
        new Attributes()
            .with("num_heads", config.heads())
            .with("kv_num_heads", config.kvHeads())
            .with("scale", (float) (1 / Math.sqrt(config.headSize())));
    if (config.queryKeyNorm()) {
      attributes.with("qk_norm_epsilon", config.normEpsilon());
    }
    if (config.slidingWindow() > 0) {
      attributes.with("local_window_size", config.slidingWindow());
    }
    return attributes;
  }

  @Override
  public void swiGlu(String input, String output) {
    graph.node(OnnxGraph.SLUICE, "SwiGlu", List.of(input), List.of(output), new Attributes());
  }

  @Override
  public String logits(String product) {
    return product;
  }

  @Override
  public Weight held(Weight weight) {
    return weight;
  }
}
