package dev.sluice.worker.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * A tiny model of one of the families, written in both formats. Its weights follow from their names
 * and are exact in bfloat16 and half precision; {@code src/test/python/families.py} makes the same.
 */
public final class TinyFamily {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** How the elements of matrices are stored. */
  public enum Storage {
    F32,
    F16,
    BF16
  }

  private final JsonNode json;
  private final List<Float> divisors;
  private final ModelConfig config;
  private final Map<String, DecoderWeights.Weight> weights;

  /**
   * Describes a model.
   *
   * @param json its {@code config.json}
   * @param divisors what a GGUF file holds instead of Llama 3's rotary scaling; empty for none
   */
  public TinyFamily(JsonNode json, List<Float> divisors, Path scratch) throws IOException {
    this.json = json;
    this.divisors = List.copyOf(divisors);
    Files.writeString(scratch.resolve("config.json"), json.toString());
    this.config = HfConfig.read(HfConfig.open(scratch));
    this.weights = DecoderWeights.of(config, Integer.MAX_VALUE);
  }

  public ModelConfig config() {
    return config;
  }

  /** Writes a folder in the Hugging Face layout. */
  public Path writeFolder(Path folder, Storage storage, int shards) throws IOException {
    Files.writeString(folder.resolve("config.json"), json.toString());
    Files.writeString(folder.resolve("tokenizer.json"), TinyFolder.TOKENIZER);
    List<String> names = List.copyOf(weights.keySet());
    ObjectNode index = JSON.createObjectNode();
    ObjectNode map = index.putObject("weight_map");
    for (int shard = 0; shard < shards; shard++) {
      String file =
          shards == 1
              ? "model.safetensors"
              : "model-%05d-of-%05d.safetensors".formatted(shard + 1, shards);
      SafetensorsWriter writer = new SafetensorsWriter();
      for (int i = shard; i < names.size(); i += shards) {
        write(writer, names.get(i), storage);
        map.put(names.get(i), file);
      }
      writer.write(folder.resolve(file));
    }
    if (shards > 1) {
      Files.writeString(folder.resolve("model.safetensors.index.json"), index.toString());
    }
    return folder;
  }

  private void write(SafetensorsWriter writer, String name, Storage storage) {
    long[] shape = shape(name);
    float[] values = values(name);
    switch (storage) {
      case F32 -> writer.floats(name, values, shape);
      case F16 -> writer.halves(name, values, shape);
      case BF16 -> writer.bfloats(name, values, shape);
    }
  }

  /** Writes a GGUF file as llama.cpp's converter would. */
  public Path writeGguf(Path file, Storage storage) {
    boolean mistral = config.architecture().equals("mistral");
    String architecture = mistral ? "llama" : config.architecture();
    GgufWriter writer = new GgufWriter().text("general.architecture", architecture);
    writeSizes(writer, architecture + ".");
    writeScaling(writer, architecture + ".rope.scaling.");
    writeTokenizer(writer);
    weights.forEach((name, weight) -> {
      float[] values = values(name);
      boolean permuted = architecture.equals("llama") && name.matches(".*\\.[qk]_proj\\.weight");
      writer.tensor(
          weight.ggufName(),
          weight.shape().size() == 1 ? GgmlType.F32 : GgmlType.valueOf(storage.name()),
          bytes(
              permuted ? interleaved(values) : values,
              weight.shape().size() == 1 ? Storage.F32 : storage),
          shape(name));
    });
    if (!divisors.isEmpty()) {
      float[] values = new float[divisors.size()];
      for (int i = 0; i < values.length; i++) {
        values[i] = divisors.get(i);
      }
      writer.floats("rope_freqs.weight", values, values.length);
    }
    return writer.write(file);
  }

  private void writeSizes(GgufWriter writer, String prefix) {
    writer
        .uint32(prefix + "block_count", config.layers())
        .uint32(prefix + "context_length", json.get("max_position_embeddings").asInt())
        .uint32(prefix + "embedding_length", config.hiddenSize())
        .uint32(prefix + "feed_forward_length", config.intermediateSize())
        .uint32(prefix + "attention.head_count", config.heads())
        .uint32(prefix + "attention.head_count_kv", config.kvHeads())
        .uint32(prefix + "attention.key_length", config.headSize())
        .uint32(prefix + "attention.value_length", config.headSize())
        .float32(prefix + "rope.freq_base", (float) config.ropeTheta())
        .float32(prefix + "attention.layer_norm_rms_epsilon", config.normEpsilon());
    if (config.slidingWindow() > 0) {
      writer.uint32(prefix + "attention.sliding_window", config.slidingWindow());
    }
  }

  private void writeScaling(GgufWriter writer, String prefix) {
    switch (config.rotaryScaling()) {
      case RotaryScaling.None none -> {}
      case RotaryScaling.Llama3 llama3 -> {} // a tensor instead
      case RotaryScaling.Divisors given -> throw new IllegalArgumentException(given.toString());
      case RotaryScaling.Linear linear ->
          writer
              .text(prefix + "type", "linear")
              .float32(prefix + "factor", (float) linear.factor());
      case RotaryScaling.Yarn yarn ->
          writer
              .text(prefix + "type", "yarn")
              .float32(prefix + "factor", (float) yarn.factor())
              .uint32(prefix + "original_context_length", yarn.originalContext());
    }
  }

  private void writeTokenizer(GgufWriter writer) {
    writer
        .text("tokenizer.ggml.model", "gpt2")
        .text("tokenizer.ggml.pre", "gpt-2")
        .texts(
            "tokenizer.ggml.tokens",
            IntStream.range(0, config.vocabularySize()).mapToObj(i -> "t" + i).toList())
        .int32s(
            "tokenizer.ggml.token_type",
            IntStream.range(0, config.vocabularySize()).map(i -> 1).toArray())
        .texts("tokenizer.ggml.merges", List.of());
  }

  /** Rows of each head in the order of rotary pairs, from that of halves. */
  private float[] interleaved(float[] rows) {
    int columns = config.hiddenSize();
    int half = config.headSize() / 2;
    float[] result = new float[rows.length];
    for (int row = 0; row < rows.length / columns; row++) {
      int head = row / (2 * half);
      int inHead = row % (2 * half);
      int to = head * 2 * half + inHead % half * 2 + inHead / half;
      System.arraycopy(rows, row * columns, result, to * columns, columns);
    }
    return result;
  }

  private long[] shape(String name) {
    return Objects.requireNonNull(weights.get(name), name).shape().stream()
        .mapToLong(Long::longValue)
        .toArray();
  }

  private float[] values(String name) {
    int elements = 1;
    for (long dimension : shape(name)) {
      elements *= (int) dimension;
    }
    long seed = 0;
    for (int i = 0; i < name.length(); i++) {
      seed = mix(seed + name.charAt(i) + 1);
    }
    float[] values = new float[elements];
    for (int i = 0; i < elements; i++) {
      int k = (int) (mix(seed + i * 0x9E3779B97F4A7C15L) >>> 56);
      if (name.endsWith("norm.weight")) {
        values[i] = 0.5f + (k >> 1) / 128f;
      } else if (name.endsWith(".bias") || name.contains("embed_tokens")) {
        values[i] = (k - 128) / 128f;
      } else {
        values[i] = (k - 128) / 512f;
      }
    }
    return values;
  }

  /** The finalizer of SplitMix64. */
  private static long mix(long state) {
    state = (state ^ (state >>> 30)) * 0xBF58476D1CE4E5B9L;
    state = (state ^ (state >>> 27)) * 0x94D049BB133111EBL;
    return state ^ (state >>> 31);
  }

  private static byte[] bytes(float[] values, Storage storage) {
    return switch (storage) {
      case F32 -> SafetensorsWriter.floats(values);
      case F16 -> SafetensorsWriter.halves(values);
      case BF16 -> SafetensorsWriter.bfloats(values);
    };
  }
}
