package dev.sluice.worker.model;

import java.util.List;

/**
 * How a {@code config.json} says that the rotary embedding was stretched: {@code rope_scaling}
 * beside {@code rope_theta}, or both inside {@code rope_parameters} as newer files spell it.
 */
final class HfRotary {
  private static final String SUPPORTED = "default, linear, llama3 or yarn";
  private static final List<String> LAYER_TYPES = List.of("full_attention", "sliding_attention");
  private static final double DEFAULT_THETA = 10_000;

  /**
   * What a {@code config.json} says of the rotary embedding.
   *
   * @param theta base of the frequencies
   */
  record Parameters(double theta, RotaryScaling scaling) {}

  private final JsonObject parameters;
  private final int context;

  private HfRotary(JsonObject parameters, int context) {
    this.parameters = parameters;
    this.context = context;
  }

  /**
   * Reads it.
   *
   * @param context {@code max_position_embeddings}
   */
  static Parameters read(JsonObject config, int context) {
    refusePartial(config);
    double theta = config.positive("rope_theta", DEFAULT_THETA);
    for (String key : List.of("rope_parameters", "rope_scaling")) {
      if (config.has(key)) {
        JsonObject parameters = config.object(key);
        refusePartial(parameters);
        return new Parameters(
            parameters.positive("rope_theta", theta), new HfRotary(parameters, context).scaling());
      }
    }
    return new Parameters(theta, new RotaryScaling.None());
  }

  private static void refusePartial(JsonObject object) {
    if (object.positive("partial_rotary_factor", 1) != 1) {
      throw object.unexpected("partial_rotary_factor", "1: whole heads are rotated");
    }
  }

  private RotaryScaling scaling() {
    for (String layers : LAYER_TYPES) {
      if (parameters.has(layers)) {
        throw parameters.unexpected(layers, "nothing: all layers turn alike");
      }
    }
    // The first files called it type.
    String key = parameters.has("rope_type") ? "rope_type" : "type";
    boolean stretched = parameters.has(key) || parameters.has("factor");
    return switch (stretched ? parameters.text(key) : "default") {
      case "default" -> new RotaryScaling.None();
      case "linear" -> new RotaryScaling.Linear(parameters.positive("factor"));
      case "llama3" -> llama3();
      case "yarn" -> yarn();
      default -> throw parameters.unexpected(key, SUPPORTED);
    };
  }

  private RotaryScaling llama3() {
    double low = parameters.positive("low_freq_factor");
    double high = parameters.positive("high_freq_factor");
    if (high <= low) {
      throw parameters.unexpected("high_freq_factor", "more than low_freq_factor, " + low);
    }
    return new RotaryScaling.Llama3(
        parameters.positive("factor"),
        low,
        high,
        parameters.whole("original_max_position_embeddings", 1, Limits.CONTEXT));
  }

  private RotaryScaling yarn() {
    int original = parameters.whole("original_max_position_embeddings", 1, Limits.CONTEXT, context);
    double factor = parameters.positive("factor", (double) context / original);
    return new RotaryScaling.Yarn(
        factor,
        original,
        parameters.positive("beta_fast", RotaryScaling.Yarn.BETA_FAST),
        parameters.positive("beta_slow", RotaryScaling.Yarn.BETA_SLOW),
        parameters.has("attention_factor")
            ? parameters.positive("attention_factor")
            : defaultAttention(factor),
        parameters.flag("truncate", true));
  }

  private double defaultAttention(double factor) {
    // Only both of them together have a meaning.
    boolean given = parameters.has("mscale") && parameters.has("mscale_all_dim");
    return given
        ? RotaryScaling.Yarn.attention(factor, parameters.positive("mscale"))
            / RotaryScaling.Yarn.attention(factor, parameters.positive("mscale_all_dim"))
        : RotaryScaling.Yarn.attention(factor, 1);
  }
}
