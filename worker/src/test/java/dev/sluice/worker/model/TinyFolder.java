package dev.sluice.worker.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * A sound model folder of a few hundred weights, to be spoilt by tests: Llama with a tied head, the
 * sizes of {@link TinyLlama}.
 */
final class TinyFolder {
  static final String TOKENIZER =
      """
      {"version": "1.0", "truncation": null, "padding": null, "normalizer": null,
       "added_tokens": [
        {"id": 0, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false,
         "normalized": false, "special": true},
        {"id": 1, "content": "</s>", "single_word": false, "lstrip": false, "rstrip": false,
         "normalized": false, "special": true}],
       "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
        "use_regex": true},
       "post_processor": {"type": "Sequence", "processors": [
        {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true},
        {"type": "TemplateProcessing",
         "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
          {"Sequence": {"id": "A", "type_id": 0}}],
         "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
         "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}}]},
       "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true,
        "use_regex": true},
       "model": {"type": "BPE", "dropout": null, "unk_token": null, "fuse_unk": false,
        "continuing_subword_prefix": null, "end_of_word_suffix": null, "byte_fallback": false,
        "vocab": {"<s>": 0, "</s>": 1, "a": 2, "b": 3, "ab": 4, "c": 5},
        "merges": [["a", "b"]]}}
      """;

  static final int VOCABULARY = 10;

  private static final ObjectMapper JSON = new ObjectMapper();

  final ObjectNode config = JSON.createObjectNode();
  final ObjectNode tokenizerConfig = JSON.createObjectNode();
  final ObjectNode generationConfig = JSON.createObjectNode();
  final Map<String, long[]> shapes = new TreeMap<>();

  /** Other files by name. */
  final Map<String, String> texts = new LinkedHashMap<>();

  TinyFolder() {
    config
        .put("model_type", "llama")
        .put("hidden_size", TinyLlama.HIDDEN)
        .put("intermediate_size", TinyLlama.INTERMEDIATE)
        .put("num_hidden_layers", TinyLlama.LAYERS)
        .put("num_attention_heads", TinyLlama.HEADS)
        .put("num_key_value_heads", TinyLlama.KV_HEADS)
        .put("max_position_embeddings", 64)
        .put("vocab_size", VOCABULARY)
        .put("rms_norm_eps", 1e-5)
        .put("tie_word_embeddings", true)
        .put("hidden_act", "silu")
        .put("eos_token_id", 1);
    tokenizerConfig
        .put("chat_template", "{{ messages }}")
        .put("eos_token", "</s>")
        .putObject("bos_token")
        .put("content", "<s>");
    texts.put("tokenizer.json", TOKENIZER);
    addShapes();
  }

  private void addShapes() {
    int queries = TinyLlama.HEADS * TinyLlama.HEAD_SIZE;
    int keys = TinyLlama.KV_HEADS * TinyLlama.HEAD_SIZE;
    int hidden = TinyLlama.HIDDEN;
    int intermediate = TinyLlama.INTERMEDIATE;
    shapes.put("model.embed_tokens.weight", new long[] {VOCABULARY, hidden});
    shapes.put("model.norm.weight", new long[] {hidden});
    for (int layer = 0; layer < TinyLlama.LAYERS; layer++) {
      String prefix = "model.layers." + layer + ".";
      shapes.put(prefix + "input_layernorm.weight", new long[] {hidden});
      shapes.put(prefix + "self_attn.q_proj.weight", new long[] {queries, hidden});
      shapes.put(prefix + "self_attn.k_proj.weight", new long[] {keys, hidden});
      shapes.put(prefix + "self_attn.v_proj.weight", new long[] {keys, hidden});
      shapes.put(prefix + "self_attn.o_proj.weight", new long[] {hidden, queries});
      shapes.put(prefix + "post_attention_layernorm.weight", new long[] {hidden});
      shapes.put(prefix + "mlp.gate_proj.weight", new long[] {intermediate, hidden});
      shapes.put(prefix + "mlp.up_proj.weight", new long[] {intermediate, hidden});
      shapes.put(prefix + "mlp.down_proj.weight", new long[] {hidden, intermediate});
    }
  }

  /** Writes the folder with its weights in one file. */
  Path write(Path folder) {
    writeTexts(folder);
    weights(0, shapes.size()).write(folder.resolve("model.safetensors"));
    return folder;
  }

  /** Writes the folder with its weights in two files and an index. */
  Path writeSharded(Path folder) {
    writeTexts(folder);
    int half = shapes.size() / 2;
    weights(0, half).write(folder.resolve("model-00001-of-00002.safetensors"));
    weights(half, shapes.size()).write(folder.resolve("model-00002-of-00002.safetensors"));
    ObjectNode index = JSON.createObjectNode();
    index.putObject("metadata").put("total_size", 1);
    ObjectNode map = index.putObject("weight_map");
    int i = 0;
    for (String name : shapes.keySet()) {
      map.put(name, "model-0000%d-of-00002.safetensors".formatted(i++ < half ? 1 : 2));
    }
    write(folder.resolve("model.safetensors.index.json"), text(index));
    return folder;
  }

  void writeTexts(Path folder) {
    write(folder.resolve("config.json"), text(config));
    write(folder.resolve("tokenizer_config.json"), text(tokenizerConfig));
    if (!generationConfig.isEmpty()) {
      write(folder.resolve("generation_config.json"), text(generationConfig));
    }
    texts.forEach((name, text) -> write(folder.resolve(name), text));
  }

  /** Some of the weights, in the order of their names; an element is its row-major index. */
  SafetensorsWriter weights(int from, int to) {
    SafetensorsWriter writer = new SafetensorsWriter();
    writer.entry("__metadata__", "{\"format\": \"pt\"}");
    shapes.entrySet().stream()
        .skip(from)
        .limit(to - from)
        .forEach(weight -> {
          int elements = 1;
          for (long dimension : weight.getValue()) {
            elements *= (int) dimension;
          }
          float[] values = new float[elements];
          for (int i = 0; i < elements; i++) {
            values[i] = i;
          }
          writer.floats(weight.getKey(), values, weight.getValue());
        });
    return writer;
  }

  private static String text(ObjectNode json) {
    try {
      return JSON.writeValueAsString(json);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void write(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
