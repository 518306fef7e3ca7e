package dev.sluice.worker.model;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The weights of a decoder: names in both worlds and the shapes that follow from the configuration.
 */
final class DecoderWeights {
  /**
   * One weight.
   *
   * @param ggufName name in a GGUF file
   * @param shape outermost dimension first
   * @param rotary whether its rows are those of q or k, which some GGUF files store in another
   *     order (see {@link GgufCheckpoint})
   */
  record Weight(String ggufName, List<Long> shape, boolean rotary) {}

  private final ModelConfig config;
  private final int most;
  private final Map<String, Weight> weights = new LinkedHashMap<>();

  private DecoderWeights(ModelConfig config, int most) {
    this.config = config;
    this.most = most;
  }

  /**
   * All weights by their Hugging Face names.
   *
   * @param tensors of the file that should have them; if there are more weights than that, the map
   *     ends early, as one of those in it is missing: a small file cannot make a large map
   */
  static Map<String, Weight> of(ModelConfig config, int tensors) {
    DecoderWeights decoder = new DecoderWeights(config, tensors);
    decoder.addAll();
    return decoder.weights;
  }

  private void addAll() {
    long hidden = config.hiddenSize();
    add("model.embed_tokens.weight", "token_embd.weight", config.vocabularySize(), hidden);
    for (int layer = 0; layer < config.layers() && weights.size() <= most; layer++) {
      String to = "model.layers." + layer + ".";
      String from = "blk." + layer + ".";
      add(to + "input_layernorm.weight", from + "attn_norm.weight", hidden);
      addAttention(to + "self_attn.", from + "attn_");
      add(to + "post_attention_layernorm.weight", from + "ffn_norm.weight", hidden);
      long intermediate = config.intermediateSize();
      add(to + "mlp.gate_proj.weight", from + "ffn_gate.weight", intermediate, hidden);
      add(to + "mlp.up_proj.weight", from + "ffn_up.weight", intermediate, hidden);
      add(to + "mlp.down_proj.weight", from + "ffn_down.weight", hidden, intermediate);
    }
    add("model.norm.weight", "output_norm.weight", hidden);
    if (!config.tiedHead()) {
      add("lm_head.weight", "output.weight", config.vocabularySize(), hidden);
    }
  }

  private void addAttention(String to, String from) {
    long hidden = config.hiddenSize();
    long queries = (long) config.heads() * config.headSize();
    long keys = (long) config.kvHeads() * config.headSize();
    addRotary(to + "q_proj.weight", from + "q.weight", queries, hidden);
    addRotary(to + "k_proj.weight", from + "k.weight", keys, hidden);
    add(to + "v_proj.weight", from + "v.weight", keys, hidden);
    if (config.attentionBias()) {
      // No family that has biases is one whose rows GGUF stores in another order.
      add(to + "q_proj.bias", from + "q.bias", queries);
      add(to + "k_proj.bias", from + "k.bias", keys);
      add(to + "v_proj.bias", from + "v.bias", keys);
    }
    if (config.queryKeyNorm()) {
      add(to + "q_norm.weight", from + "q_norm.weight", config.headSize());
      add(to + "k_norm.weight", from + "k_norm.weight", config.headSize());
    }
    add(to + "o_proj.weight", from + "output.weight", hidden, queries);
  }

  private void add(String to, String from, long... shape) {
    weights.put(to, new Weight(from, list(shape), /* rotary= */ false));
  }

  private void addRotary(String to, String from, long... shape) {
    weights.put(to, new Weight(from, list(shape), /* rotary= */ true));
  }

  private static List<Long> list(long... shape) {
    return Arrays.stream(shape).boxed().toList();
  }
}
