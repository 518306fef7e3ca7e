package dev.sluice.worker.graph;

import dev.sluice.worker.graph.OnnxGraph.Attributes;
import dev.sluice.worker.kernel.KvTensor;
import dev.sluice.worker.model.ModelConfig;
import java.util.ArrayList;
import java.util.List;

/** Attention and activation by operators of our own, in float32. */
final class CpuBackend implements Backend {
  private final OnnxGraph graph;
  private final ModelConfig config;
  private final List<KvTensor> caches;

  CpuBackend(OnnxGraph graph, ModelConfig config, GraphOptions options) {
    this.graph = graph;
    this.config = config;
    this.caches =
        options.kvType().tensors(config.kvHeads(), config.headSize(), options.blockSize());
  }

  @Override
  public void declareInputs(DecoderGraph.Inputs inputs) {
    for (int layer = 0; layer < config.layers(); layer++) {
      for (KvTensor cache : caches) {
        List<String> shape = new ArrayList<>(List.of("blocks"));
        cache.blockShape().forEach(dimension -> shape.add(Long.toString(dimension)));
        inputs.add(cache.name() + "." + layer, cache.type(), shape.toArray(String[]::new));
      }
    }
  }

  @Override
  public String attend(int layer, String queryKeyValue, String queryNorm, String keyNorm) {
    String output = "attention_output." + layer;
    List<String> inputs = new ArrayList<>(pagedAttentionInputs(layer, queryKeyValue));
    inputs.addAll(List.of("", "", queryNorm, keyNorm)); // no slot mapping, no head sinks
    for (KvTensor scales : caches.subList(2, caches.size())) {
      inputs.add(scales.name() + "." + layer);
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
