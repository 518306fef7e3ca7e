package dev.sluice.worker.model;

/** A GGUF file's hyper-parameters as a {@link ModelConfig}; refuses what it does not know. */
final class GgufConfig {
  private static final String LLAMA = "llama";
  private static final int MAX_LAYERS = 1 << 12;
  private static final int MAX_HEADS = 1 << 12;
  private static final int MAX_WIDTH = 1 << 24;
  private static final double DEFAULT_ROPE_THETA = 10_000;

  private GgufConfig() {}

  static ModelConfig read(GgufFile file) {
    GgufMetadata metadata = file.metadata();
    String architecture = metadata.text("general.architecture");
    if (!architecture.equals(LLAMA)) {
      throw new ModelFileException(
          "%s: architecture '%s' is not supported (expected: %s)"
              .formatted(file.path(), architecture, LLAMA));
    }
    refuseVariants(file);
    int hiddenSize = whole(metadata, "llama.embedding_length", MAX_WIDTH);
    int heads = whole(metadata, "llama.attention.head_count", MAX_HEADS);
    int kvHeads =
        metadata.has("llama.attention.head_count_kv")
            ? whole(metadata, "llama.attention.head_count_kv", heads)
            : heads;
    if (heads % kvHeads != 0) {
      throw new ModelFileException(
          "%s: metadata llama.attention.head_count_kv: %d (expected: a divisor of %d)"
              .formatted(file.path(), kvHeads, heads));
    }
    GgufTensor embedding = file.tensors().get("token_embd.weight");
    if (embedding == null || embedding.rows() > Integer.MAX_VALUE) {
      throw new ModelFileException(
          "%s: tensor token_embd.weight: %s (expected: shape [vocabulary, %d])"
              .formatted(
                  file.path(), embedding == null ? "missing" : embedding.shape(), hiddenSize));
    }
    return new ModelConfig(
        architecture,
        whole(metadata, "llama.block_count", MAX_LAYERS),
        hiddenSize,
        whole(metadata, "llama.feed_forward_length", MAX_WIDTH),
        heads,
        kvHeads,
        headSize(file, hiddenSize, heads),
        (int) embedding.rows(),
        whole(metadata, "llama.context_length", Integer.MAX_VALUE),
        (float) metadata.positive("llama.attention.layer_norm_rms_epsilon"),
        metadata.has("llama.rope.freq_base")
            ? metadata.positive("llama.rope.freq_base")
            : DEFAULT_ROPE_THETA,
        new RotaryScaling.None(),
        !file.tensors().containsKey("output.weight"),
        /* attentionBias= */ false,
        /* queryKeyNorm= */ false,
        /* slidingWindow= */ 0);
  }

  private static int headSize(GgufFile file, int hiddenSize, int heads) {
    GgufMetadata metadata = file.metadata();
    boolean given = metadata.has("llama.attention.key_length");
    if (!given && hiddenSize % heads != 0) {
      throw new ModelFileException(
          "%s: metadata llama.embedding_length: %d (expected: a multiple of %d heads)"
              .formatted(file.path(), hiddenSize, heads));
    }
    int headSize =
        given ? whole(metadata, "llama.attention.key_length", MAX_WIDTH) : hiddenSize / heads;
    if (headSize % 2 != 0) {
      throw new ModelFileException(
          "%s: head size %d (expected: an even number)".formatted(file.path(), headSize));
    }
    for (String key : new String[] {"llama.attention.value_length", "llama.rope.dimension_count"}) {
      if (metadata.has(key)) {
        metadata.whole(key, headSize, headSize);
      }
    }
    return headSize;
  }

  /** Variants of the architecture that compute something else. */
  private static void refuseVariants(GgufFile file) {
    GgufMetadata metadata = file.metadata();
    String scaling = metadata.text("llama.rope.scaling.type", "none");
    if (!scaling.equals("none")) {
      throw new ModelFileException(
          "%s: metadata llama.rope.scaling.type: '%s' (expected: none)"
              .formatted(file.path(), scaling));
    }
    for (String key : new String[] {"llama.expert_count", "llama.attention.sliding_window"}) {
      if (metadata.has(key)) {
        metadata.whole(key, 0, 0);
      }
    }
  }

  private static int whole(GgufMetadata metadata, String key, int most) {
    return (int) metadata.whole(key, 1, most);
  }
}
