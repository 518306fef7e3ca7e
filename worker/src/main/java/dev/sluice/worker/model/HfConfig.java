package dev.sluice.worker.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A {@code config.json} of the Hugging Face layout as a {@link ModelConfig}; refuses what it does
 * not know. What a file leaves out has the value that the {@code transformers} library gives it.
 */
final class HfConfig {
  static final String FILE = "config.json";

  static final int MAX_BYTES = 1 << 20;

  private static final double DEFAULT_EPSILON = 1e-6;
  private static final int QWEN3_HEAD_SIZE = 128;
  private static final int MISTRAL_WINDOW = 4096;
  private static final String FULL = "full_attention";
  private static final String SLIDING = "sliding_attention";

  private final JsonObject config;
  private final Family family;

  private HfConfig(JsonObject config, Family family) {
    this.config = config;
    this.family = family;
  }

  /** Reads the file of a folder. */
  static JsonObject open(Path folder) {
    return JsonObject.read(folder.resolve(FILE), MAX_BYTES);
  }

  static ModelConfig read(JsonObject config) {
    String type = config.text("model_type");
    Family family =
        Family.ofModelType(type)
            .orElseThrow(() -> config.unexpected("model_type", "one of " + Family.modelTypes()));
    return new HfConfig(config, family).read();
  }

  private ModelConfig read() {
    refuseVariants();
    int hiddenSize = config.whole("hidden_size", 1, Limits.WIDTH);
    int heads = config.whole("num_attention_heads", 1, Limits.HEADS);
    int kvHeads = config.whole("num_key_value_heads", 1, heads, heads);
    if (heads % kvHeads != 0) {
      throw config.unexpected("num_key_value_heads", "a divisor of " + heads);
    }
    int context = config.whole("max_position_embeddings", 1, Limits.CONTEXT);
    int layers = config.whole("num_hidden_layers", 1, Limits.LAYERS);
    HfRotary.Parameters rotary = HfRotary.read(config, context);
    int maxContext = rotary.scaling().longest(context);
    return new ModelConfig(
        family.modelType,
        layers,
        hiddenSize,
        config.whole("intermediate_size", 1, Limits.WIDTH),
        heads,
        kvHeads,
        headSize(hiddenSize, heads),
        config.whole("vocab_size", 1, Integer.MAX_VALUE),
        maxContext,
        (float) config.positive("rms_norm_eps", DEFAULT_EPSILON),
        rotary.theta(),
        rotary.scaling(),
        config.flag("tie_word_embeddings", false),
        family.attentionBias(),
        family.queryKeyNorm(),
        slidingWindow(layers, maxContext));
  }

  private int headSize(int hiddenSize, int heads) {
    int headSize;
    if (config.has("head_dim")) {
      headSize = config.whole("head_dim", 2, Limits.WIDTH);
    } else if (family == Family.QWEN3) {
      headSize = QWEN3_HEAD_SIZE;
    } else if (hiddenSize % heads == 0) {
      headSize = hiddenSize / heads;
    } else {
      throw config.unexpected("hidden_size", "a multiple of " + heads + " heads");
    }
    if (headSize % 2 != 0) {
      throw config.unexpected(
          config.has("head_dim") ? "head_dim" : "hidden_size",
          "heads of an even size, not " + headSize);
    }
    return headSize;
  }

  /** The window of all layers; 0 if there is none or it is as long as the context. */
  private int slidingWindow(int layers, int maxContext) {
    int window =
        switch (family) {
          // Absent is not the same as null here.
          case MISTRAL -> config.any("sliding_window").isMissingNode() ? MISTRAL_WINDOW : window();
          case QWEN2, QWEN3 -> config.flag("use_sliding_window", false) ? window() : 0;
          case LLAMA -> window();
        };
    if (window == 0 || window >= maxContext) {
      return 0;
    }
    Set<String> kinds = layerKinds(layers);
    if (kinds.size() > 1) {
      throw config.unexpected(
          config.has("layer_types") ? "layer_types" : "max_window_layers",
          "all layers with the sliding window of " + window + " tokens, or none");
    }
    return kinds.contains(SLIDING) ? window : 0;
  }

  private int window() {
    return config.whole("sliding_window", 1, Integer.MAX_VALUE, 0);
  }

  /** The kinds of attention that the model's layers have. */
  private Set<String> layerKinds(int layers) {
    JsonNode types = config.any("layer_types");
    if (types.isArray()) {
      Set<String> kinds = new HashSet<>();
      types.forEach(type -> kinds.add(type.asText()));
      if (types.size() != layers || !Set.of(FULL, SLIDING).containsAll(kinds)) {
        throw config.unexpected(
            "layer_types", "for each of " + layers + " layers, " + FULL + " or " + SLIDING);
      }
      return kinds;
    }
    if (family != Family.QWEN2 && family != Family.QWEN3) {
      return Set.of(SLIDING);
    }
    int full = config.whole("max_window_layers", 0, Limits.LAYERS, 28);
    return full == 0 ? Set.of(SLIDING) : full >= layers ? Set.of(FULL) : Set.of(FULL, SLIDING);
  }

  /** Variants that compute something else. */
  private void refuseVariants() {
    for (String key : List.of("attention_bias", "mlp_bias")) {
      if (config.flag(key, false) && !(key.equals("attention_bias") && family.attentionBias())) {
        throw config.unexpected(key, "false for " + family.modelType);
      }
    }
    String activation = config.text("hidden_act", "silu");
    if (!activation.equals("silu")) {
      throw config.unexpected("hidden_act", "silu");
    }
    for (String key : List.of("quantization_config", "text_config")) {
      if (config.has(key)) {
        throw config.unexpected(key, "nothing: weights in F32, F16 or BF16, of text alone");
      }
    }
  }
}
