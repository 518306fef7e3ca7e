package dev.sluice.worker.model;

import java.util.ArrayList;
import java.util.List;

/** A sound GGUF file of a Llama model of a few hundred weights, to be spoilt by tests. */
final class TinyLlama {
  static final int LAYERS = 2;
  static final int HIDDEN = 8;
  static final int INTERMEDIATE = 12;
  static final int HEADS = 2;
  static final int KV_HEADS = 1;
  static final int HEAD_SIZE = 4;

  static final List<String> TOKENS =
      List.of(
          "<|endoftext|>", "<|im_start|>", "<|im_end|>", "a", "b", "c", "ab", "<user>", "Ġ", "1");

  private TinyLlama() {}

  static GgufWriter gguf() {
    return gguf("llama");
  }

  /** The same weights under the name of another architecture. */
  static GgufWriter gguf(String architecture) {
    return gguf(architecture, TOKENS.size());
  }

  /** The same with another number of embeddings. */
  static GgufWriter gguf(String architecture, int vocabularySize) {
    GgufWriter writer =
        new GgufWriter()
            .text("general.architecture", architecture)
            .uint32(architecture + ".block_count", LAYERS)
            .uint32(architecture + ".context_length", 64)
            .uint32(architecture + ".embedding_length", HIDDEN)
            .uint32(architecture + ".feed_forward_length", INTERMEDIATE)
            .uint32(architecture + ".attention.head_count", HEADS)
            .uint32(architecture + ".attention.head_count_kv", KV_HEADS)
            .uint32(architecture + ".rope.dimension_count", HEAD_SIZE)
            .float32(architecture + ".attention.layer_norm_rms_epsilon", 1e-5f)
            .text("tokenizer.ggml.model", "gpt2")
            .text("tokenizer.ggml.pre", "smollm")
            .texts("tokenizer.ggml.tokens", TOKENS)
            .int32s("tokenizer.ggml.token_type", 3, 3, 3, 1, 1, 1, 1, 4, 1, 1)
            .texts("tokenizer.ggml.merges", List.of("a b"))
            .uint32("tokenizer.ggml.bos_token_id", 1)
            .uint32("tokenizer.ggml.eos_token_id", 2)
            .flag("tokenizer.ggml.add_bos_token", true)
            .text("tokenizer.chat_template", "{{ messages }}");
    floats(writer, "token_embd.weight", vocabularySize, HIDDEN);
    for (int layer = 0; layer < LAYERS; layer++) {
      String block = "blk." + layer + ".";
      floats(writer, block + "attn_norm.weight", HIDDEN);
      floats(writer, block + "attn_q.weight", HEADS * HEAD_SIZE, HIDDEN);
      floats(writer, block + "attn_k.weight", KV_HEADS * HEAD_SIZE, HIDDEN);
      floats(writer, block + "attn_v.weight", KV_HEADS * HEAD_SIZE, HIDDEN);
      floats(writer, block + "attn_output.weight", HIDDEN, HEADS * HEAD_SIZE);
      floats(writer, block + "ffn_norm.weight", HIDDEN);
      floats(writer, block + "ffn_gate.weight", INTERMEDIATE, HIDDEN);
      floats(writer, block + "ffn_up.weight", INTERMEDIATE, HIDDEN);
      floats(writer, block + "ffn_down.weight", HIDDEN, INTERMEDIATE);
    }
    floats(writer, "output_norm.weight", HIDDEN);
    return writer;
  }

  /** A tensor whose element is its row-major index. */
  static void floats(GgufWriter writer, String name, long... shape) {
    long elements = 1;
    for (long dimension : shape) {
      elements *= dimension;
    }
    float[] values = new float[(int) elements];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    writer.floats(name, values, shape);
  }

  static List<String> with(List<String> list, String more) {
    List<String> longer = new ArrayList<>(list);
    longer.add(more);
    return longer;
  }
}
