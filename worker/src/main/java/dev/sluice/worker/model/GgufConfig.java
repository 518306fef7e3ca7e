package dev.sluice.worker.model;

import java.util.List;

/** A GGUF file's hyper-parameters as a {@link ModelConfig}; refuses what it does not know. */
final class GgufConfig {
  private static final double DEFAULT_ROPE_THETA = 10_000;

  /** Keys of variants that compute something else: 0 or absent is the plain model. */
  private static final List<String> VARIANTS =
      List.of("expert_count", "attention.sliding_window_pattern", "rope.dimension_sections");

  private final GgufFile file;
  private final GgufMetadata metadata;
  private final Family family;

  private GgufConfig(GgufFile file, Family family) {
    this.file = file;
    this.metadata = file.metadata();
    this.family = family;
  }

  /** The family that the file says it is of. */
  static Family family(GgufFile file) {
    String architecture = file.metadata().text("general.architecture");
    return Family.ofGgufName(architecture)
        .orElseThrow(() ->
            new ModelFileException(
                "%s: architecture '%s' is not supported (expected: one of %s)"
                    .formatted(file.path(), architecture, Family.ggufNames())));
  }

  static ModelConfig read(GgufFile file, Family family) {
    return new GgufConfig(file, family).read();
  }

  private ModelConfig read() {
    refuseVariants();
    int hiddenSize = whole("embedding_length", Limits.WIDTH);
    int heads = whole("attention.head_count", Limits.HEADS);
    int kvHeads =
        metadata.has(key("attention.head_count_kv"))
            ? whole("attention.head_count_kv", heads)
            : heads;
    if (heads % kvHeads != 0) {
      throw new ModelFileException(
          "%s: metadata %s: %d (expected: a divisor of %d)"
              .formatted(file.path(), key("attention.head_count_kv"), kvHeads, heads));
    }
    int headSize = headSize(hiddenSize, heads);
    int context = whole("context_length", Limits.CONTEXT);
    RotaryScaling scaling = GgufRotary.read(file, family, headSize, context);
    int maxContext = scaling.longest(context);
    return new ModelConfig(
        family.ggufName,
        whole("block_count", Limits.LAYERS),
        hiddenSize,
        whole("feed_forward_length", Limits.WIDTH),
        heads,
        kvHeads,
        headSize,
        vocabularySize(hiddenSize),
        maxContext,
        (float) metadata.positive(key("attention.layer_norm_rms_epsilon")),
        metadata.positive(key("rope.freq_base"), DEFAULT_ROPE_THETA),
        scaling,
        !file.tensors().containsKey("output.weight"),
        family.attentionBias(),
        family.queryKeyNorm(),
        slidingWindow(maxContext));
  }

  private int vocabularySize(int hiddenSize) {
    GgufTensor embedding = file.tensors().get("token_embd.weight");
    if (embedding == null || embedding.rows() > Integer.MAX_VALUE) {
      throw new ModelFileException(
          "%s: tensor token_embd.weight: %s (expected: shape [vocabulary, %d])"
              .formatted(
                  file.path(), embedding == null ? "missing" : embedding.shape(), hiddenSize));
    }
    return (int) embedding.rows();
  }

  private int headSize(int hiddenSize, int heads) {
    boolean given = metadata.has(key("attention.key_length"));
    if (!given && hiddenSize % heads != 0) {
      throw new ModelFileException(
          "%s: metadata %s: %d (expected: a multiple of %d heads)"
              .formatted(file.path(), key("embedding_length"), hiddenSize, heads));
    }
    int headSize = given ? whole("attention.key_length", Limits.WIDTH) : hiddenSize / heads;
    if (headSize % 2 != 0) {
      throw new ModelFileException(
          "%s: head size %d (expected: an even number)".formatted(file.path(), headSize));
    }
    for (String name : List.of("attention.value_length", "rope.dimension_count")) {
      if (metadata.has(key(name))) {
        metadata.whole(key(name), headSize, headSize);
      }
    }
    return headSize;
  }

  private int slidingWindow(int maxContext) {
    String key = key("attention.sliding_window");
    if (!metadata.has(key)) {
      return 0;
    }
    long window = metadata.whole(key, 0, Integer.MAX_VALUE);
    return window < maxContext ? (int) window : 0;
  }

  private void refuseVariants() {
    for (String variant : VARIANTS) {
      if (metadata.has(key(variant))) {
        metadata.whole(key(variant), 0, 0);
      }
    }
    if (metadata.has("split.count")) {
      metadata.whole("split.count", 0, 1);
    }
  }

  private int whole(String name, int most) {
    return (int) metadata.whole(key(name), 1, most);
  }

  /** The key of a hyper-parameter: its name after the architecture's. */
  private String key(String name) {
    return family.ggufName + "." + name;
  }
}
