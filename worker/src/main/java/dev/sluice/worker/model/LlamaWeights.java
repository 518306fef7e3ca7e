package dev.sluice.worker.model;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The weights of the Llama architecture: names in both worlds and the shapes that follow from the
 * configuration.
 */
final class LlamaWeights {
  /**
   * One weight.
   *
   * @param ggufName name in a GGUF file
   * @param shape outermost dimension first
   * @param interleavedHeads heads whose rows GGUF stores in another order (see {@link
   *     GgufCheckpoint}); 0 if the order is the same
   */
  record Weight(String ggufName, List<Long> shape, int interleavedHeads) {}

  private LlamaWeights() {}

  /** All weights by their Hugging Face names. */
  static Map<String, Weight> of(ModelConfig config) {
    long hidden = config.hiddenSize();
    long intermediate = config.intermediateSize();
    long queries = (long) config.heads() * config.headSize();
    long keys = (long) config.kvHeads() * config.headSize();
    Map<String, Weight> weights = new LinkedHashMap<>();
    put(weights, "model.embed_tokens", "token_embd", config.vocabularySize(), hidden);
    for (int layer = 0; layer < config.layers(); layer++) {
      String to = "model.layers." + layer + ".";
      String from = "blk." + layer + ".";
      put(weights, to + "input_layernorm", from + "attn_norm", hidden);
      rotary(weights, to + "self_attn.q_proj", from + "attn_q", config.heads(), queries, hidden);
      rotary(weights, to + "self_attn.k_proj", from + "attn_k", config.kvHeads(), keys, hidden);
      put(weights, to + "self_attn.v_proj", from + "attn_v", keys, hidden);
      put(weights, to + "self_attn.o_proj", from + "attn_output", hidden, queries);
      put(weights, to + "post_attention_layernorm", from + "ffn_norm", hidden);
      put(weights, to + "mlp.gate_proj", from + "ffn_gate", intermediate, hidden);
      put(weights, to + "mlp.up_proj", from + "ffn_up", intermediate, hidden);
      put(weights, to + "mlp.down_proj", from + "ffn_down", hidden, intermediate);
    }
    put(weights, "model.norm", "output_norm", hidden);
    if (!config.tiedHead()) {
      put(weights, "lm_head", "output", config.vocabularySize(), hidden);
    }
    return weights;
  }

  private static void put(Map<String, Weight> weights, String to, String from, long... shape) {
    weights.put(
        to + ".weight", new Weight(from + ".weight", Arrays.stream(shape).boxed().toList(), 0));
  }

  private static void rotary(
      Map<String, Weight> weights, String to, String from, int heads, long rows, long columns) {
    weights.put(to + ".weight", new Weight(from + ".weight", List.of(rows, columns), heads));
  }
}
