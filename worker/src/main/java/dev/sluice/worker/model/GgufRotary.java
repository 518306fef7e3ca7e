package dev.sluice.worker.model;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * How a GGUF file says that its rotary embedding was stretched: metadata for linear scaling and
 * YaRN, with the meaning and the defaults that llama.cpp gives them, and a tensor of divisors for
 * Llama 3.
 */
final class GgufRotary {
  /** The tensor of divisors; its name is the same in all architectures. */
  static final String DIVISORS = "rope_freqs.weight";

  private static final String SUPPORTED = "none, linear or yarn";

  private final GgufFile file;
  private final GgufMetadata metadata;
  private final String prefix;

  private GgufRotary(GgufFile file, Family family) {
    this.file = file;
    this.metadata = file.metadata();
    this.prefix = family.ggufName + ".rope.";
  }

  /**
   * Reads it.
   *
   * @param context tokens that the model was trained for, as the file says
   */
  static RotaryScaling read(GgufFile file, Family family, int headSize, int context) {
    GgufRotary rotary = new GgufRotary(file, family);
    RotaryScaling scaling = rotary.scaling(context);
    GgufTensor divisors = file.tensors().get(DIVISORS);
    if (divisors == null) {
      return scaling;
    }
    if (!(scaling instanceof RotaryScaling.None)) {
      throw new ModelFileException(
          "%s: tensor %s: together with metadata %sscaling (expected: one of them)"
              .formatted(file.path(), DIVISORS, rotary.prefix));
    }
    return rotary.divisors(divisors, headSize);
  }

  private RotaryScaling scaling(int context) {
    // Files without a type are linear, with a factor that files without scaling do not have.
    String type = metadata.text(prefix + "scaling.type", "linear");
    RotaryScaling scaling =
        switch (type) {
          case "none" -> new RotaryScaling.None();
          case "linear" -> factor() == 1 ? new RotaryScaling.None() : linear();
          case "yarn" -> yarn(context);
          default ->
              throw new ModelFileException(
                  "%s: metadata %sscaling.type: '%s' (expected: %s)"
                      .formatted(file.path(), prefix, type, SUPPORTED));
        };
    double extrapolated = scaling instanceof RotaryScaling.Yarn ? 1 : 0;
    if (metadata.has(prefix + "scaling.yarn_ext_factor")) {
      metadata.require(prefix + "scaling.yarn_ext_factor", extrapolated);
    }
    if (extrapolated == 0 && metadata.has(prefix + "scaling.attn_factor")) {
      metadata.require(prefix + "scaling.attn_factor", 1);
    }
    return scaling;
  }

  private RotaryScaling linear() {
    return new RotaryScaling.Linear(factor());
  }

  private RotaryScaling yarn(int context) {
    double factor = factor();
    double attention = RotaryScaling.Yarn.attention(factor, 1);
    String logMultiplier = prefix + "scaling.yarn_log_multiplier";
    if (metadata.has(logMultiplier)) {
      attention /= RotaryScaling.Yarn.attention(factor, metadata.positive(logMultiplier));
    }
    String original = prefix + "scaling.original_context_length";
    return new RotaryScaling.Yarn(
        factor,
        metadata.has(original) ? (int) metadata.whole(original, 1, Limits.CONTEXT) : context,
        metadata.positive(prefix + "scaling.yarn_beta_fast", RotaryScaling.Yarn.BETA_FAST),
        metadata.positive(prefix + "scaling.yarn_beta_slow", RotaryScaling.Yarn.BETA_SLOW),
        attention * metadata.positive(prefix + "scaling.attn_factor", 1),
        /* wholeIndices= */ true);
  }

  private double factor() {
    // The second is the name that files had in 2023.
    for (String name : List.of("scaling.factor", "scale_linear")) {
      if (metadata.has(prefix + name)) {
        return metadata.positive(prefix + name);
      }
    }
    return 1;
  }

  private RotaryScaling divisors(GgufTensor tensor, int headSize) {
    List<Long> shape = List.of(headSize / 2L);
    if (!tensor.shape().equals(shape)) {
      throw new ModelFileException(
          "%s: tensor %s: shape %s (expected: %s)"
              .formatted(file.path(), DIVISORS, tensor.shape(), shape));
    }
    float[] values = new float[headSize / 2];
    TensorReader.read(
        file.content(),
        tensor.type(),
        tensor.offset(),
        values.length,
        MemorySegment.ofArray(values),
        0);
    List<Float> divisors = new ArrayList<>();
    for (int i = 0; i < values.length; i++) {
      if (!(values[i] > 0 && values[i] < Float.POSITIVE_INFINITY)) {
        throw new ModelFileException(
            "%s: tensor %s: element %d is %s (expected: a number above 0)"
                .formatted(file.path(), DIVISORS, i, values[i]));
      }
      divisors.add(values[i]);
    }
    return new RotaryScaling.Divisors(divisors);
  }
}
