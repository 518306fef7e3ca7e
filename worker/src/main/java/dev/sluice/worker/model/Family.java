package dev.sluice.worker.model;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Families of models that are known. All are the same decoder; they differ in what their attention
 * adds and in how files store them.
 */
enum Family {
  LLAMA("llama", "llama"),

  /** Llama with a sliding window; GGUF files call it {@code llama}. */
  MISTRAL("mistral", ""),

  QWEN2("qwen2", "qwen2"),

  QWEN3("qwen3", "qwen3");

  /** {@code model_type} in a {@code config.json}. */
  final String modelType;

  /** {@code general.architecture} in a GGUF file; empty if it has none of its own. */
  final String ggufName;

  Family(String modelType, String ggufName) {
    this.modelType = modelType;
    this.ggufName = ggufName;
  }

  /** Whether the projections to q, k and v have biases. */
  boolean attentionBias() {
    return this == QWEN2;
  }

  /** Whether the heads of q and k pass norms. */
  boolean queryKeyNorm() {
    return this == QWEN3;
  }

  /** Whether GGUF files store the rows of q and k in the order of interleaved rotary pairs. */
  boolean interleavedInGguf() {
    return this == LLAMA;
  }

  static Optional<Family> ofModelType(String modelType) {
    return Arrays.stream(values()).filter(f -> f.modelType.equals(modelType)).findFirst();
  }

  static Optional<Family> ofGgufName(String name) {
    return Arrays.stream(values())
        .filter(f -> !f.ggufName.isEmpty() && f.ggufName.equals(name))
        .findFirst();
  }

  /** All that a {@code config.json} may say, for messages. */
  static String modelTypes() {
    return Arrays.stream(values()).map(f -> f.modelType).collect(Collectors.joining(", "));
  }

  /** All that a GGUF file may say, for messages. */
  static String ggufNames() {
    return Arrays.stream(values())
        .map(f -> f.ggufName)
        .filter(name -> !name.isEmpty())
        .collect(Collectors.joining(", "));
  }
}
