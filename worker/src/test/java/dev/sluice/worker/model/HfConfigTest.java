package dev.sluice.worker.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Configurations as models on the hub have them, cut to what matters. */
class HfConfigTest {
  private static final String SIZES =
      """
      , "hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4,
      "num_key_value_heads": 2, "num_hidden_layers": 4, "vocab_size": 300\
      """;

  @TempDir Path folder;

  @Test
  void readsLlama3() throws IOException {
    ModelConfig config =
        read(
            """
            "model_type": "llama", "head_dim": 32, "max_position_embeddings": 131072,
            "rms_norm_eps": 1e-05, "rope_theta": 500000.0, "attention_bias": false,
            "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
              "original_max_position_embeddings": 8192, "rope_type": "llama3"},
            "hidden_act": "silu", "mlp_bias": false, "pretraining_tp": 1,
            "tie_word_embeddings": true, "torch_dtype": "bfloat16"\
            """);
    assertThat(config)
        .isEqualTo(
            new ModelConfig(
                "llama",
                4,
                64,
                128,
                4,
                2,
                32,
                300,
                131072,
                1e-5f,
                500_000,
                new RotaryScaling.Llama3(32, 1, 4, 8192),
                true,
                false,
                false,
                0));
  }

  @Test
  void readsMistral() throws IOException {
    String mistral = "\"model_type\": \"mistral\", \"max_position_embeddings\": 32768";
    ModelConfig config = read(mistral + ", \"sliding_window\": 4095");
    assertThat(config.architecture()).isEqualTo("mistral");
    assertThat(config.slidingWindow()).isEqualTo(4095);
    assertThat(config.headSize()).isEqualTo(16);
    assertThat(config.tiedHead()).isFalse();
    assertThat(config.normEpsilon()).isEqualTo(1e-6f);
    assertThat(config.ropeTheta()).isEqualTo(10_000);
    assertThat(read(mistral + ", \"sliding_window\": null").slidingWindow()).isZero();
    assertThat(read(mistral).slidingWindow()).isEqualTo(4096);
  }

  @Test
  void readsQwen2() throws IOException {
    String qwen2 =
        """
        "model_type": "qwen2", "max_position_embeddings": 32768, "max_window_layers": %d,
        "rms_norm_eps": 1e-06, "rope_theta": 1000000.0, "sliding_window": 1024,
        "use_sliding_window": %s\
        """;
    ModelConfig config = read(qwen2.formatted(3, false));
    assertThat(config.attentionBias()).isTrue();
    assertThat(config.queryKeyNorm()).isFalse();
    assertThat(config.slidingWindow()).isZero();
    assertThat(read(qwen2.formatted(0, true)).slidingWindow()).isEqualTo(1024);
    assertThat(read(qwen2.formatted(4, true)).slidingWindow()).isZero();
    refuses(
        qwen2.formatted(3, true),
        "max_window_layers: 3 (expected: all layers with the sliding window of 1024 tokens, or"
            + " none)");
  }

  @Test
  void readsQwen3() throws IOException {
    ModelConfig config =
        read(
            """
            "model_type": "qwen3", "head_dim": 64, "max_position_embeddings": 40960,
            "attention_bias": false, "sliding_window": null, "use_sliding_window": false,
            "rope_parameters": {"rope_theta": 1000000, "rope_type": "default"},
            "layer_types": ["full_attention", "full_attention", "full_attention",
              "full_attention"]\
            """);
    assertThat(config.queryKeyNorm()).isTrue();
    assertThat(config.attentionBias()).isFalse();
    assertThat(config.headSize()).isEqualTo(64);
    assertThat(config.ropeTheta()).isEqualTo(1e6);
    assertThat(read("\"model_type\": \"qwen3\", \"max_position_embeddings\": 9").headSize())
        .isEqualTo(128);
  }

  @Test
  void readsYarnInBothSpellings() throws IOException {
    ModelConfig config =
        read(
            """
            "model_type": "qwen2", "max_position_embeddings": 32768, "rope_theta": 1e6,
            "rope_scaling": {"factor": 4.0, "original_max_position_embeddings": 32768,
              "type": "yarn"}\
            """);
    assertThat(config.rotaryScaling())
        .isEqualTo(new RotaryScaling.Yarn(4, 32768, 32, 1, 0.1 * Math.log(4) + 1, true));
    assertThat(config.maxContext()).isEqualTo(131072);
    ModelConfig newer =
        read(
            """
            "model_type": "qwen2", "max_position_embeddings": 131072,
            "rope_parameters": {"factor": 4.0, "original_max_position_embeddings": 32768,
              "rope_type": "yarn", "rope_theta": 1e6, "beta_fast": 16, "beta_slow": 2,
              "mscale": 1.0, "mscale_all_dim": 1.0, "truncate": false}\
            """);
    assertThat(newer.rotaryScaling()).isEqualTo(new RotaryScaling.Yarn(4, 32768, 16, 2, 1, false));
    assertThat(newer.ropeTheta()).isEqualTo(1e6);
    assertThat(newer.maxContext()).isEqualTo(131072);
    ModelConfig given =
        read(
            """
            "model_type": "llama", "max_position_embeddings": 64,
            "rope_scaling": {"rope_type": "yarn", "factor": 2, "attention_factor": 0.75}\
            """);
    assertThat(given.rotaryScaling()).isEqualTo(new RotaryScaling.Yarn(2, 64, 32, 1, 0.75, true));
  }

  @Test
  void readsLinearScaling() throws IOException {
    String linear =
        "\"model_type\": \"llama\", \"max_position_embeddings\": 64, \"rope_scaling\": ";
    assertThat(read(linear + "{\"type\": \"linear\", \"factor\": 2.5}").rotaryScaling())
        .isEqualTo(new RotaryScaling.Linear(2.5));
    assertThat(read(linear + "null").rotaryScaling()).isEqualTo(new RotaryScaling.None());
  }

  static Stream<Arguments> unusable() {
    return Stream.of(
        Arguments.of(
            "\"model_type\": \"gemma3\"",
            "model_type: 'gemma3' (expected: one of llama, mistral, qwen2, qwen3)"),
        Arguments.of("\"a\": 1", "model_type: missing (expected: a text)"),
        Arguments.of(
            "\"model_type\": \"llama\"",
            "max_position_embeddings: missing (expected: a whole number from 1 to 1073741824)"),
        Arguments.of(llama("\"num_hidden_layers\": 0"), "Duplicate field 'num_hidden_layers'"),
        Arguments.of(llama("\"hidden_act\": \"gelu\""), "hidden_act: 'gelu' (expected: silu)"),
        Arguments.of(
            llama("\"attention_bias\": true"), "attention_bias: true (expected: false for llama)"),
        Arguments.of(llama("\"mlp_bias\": true"), "mlp_bias: true (expected: false for llama)"),
        Arguments.of(
            llama("\"quantization_config\": {\"quant_method\": \"fp8\"}"),
            "quantization_config: an object (expected: nothing: weights in F32, F16 or BF16"),
        Arguments.of(
            llama("\"head_dim\": 15"), "head_dim: 15 (expected: heads of an even size, not 15)"),
        Arguments.of(
            llama("\"head_dim\": 16.5"), "head_dim: 16.5 (expected: a whole number from 2"),
        Arguments.of(llama("\"rope_theta\": -1"), "rope_theta: -1 (expected: a number above 0)"),
        Arguments.of(
            llama("\"partial_rotary_factor\": 0.5"),
            "partial_rotary_factor: 0.5 (expected: 1: whole heads are rotated)"),
        Arguments.of(
            llama("\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2}"),
            "rope_scaling.type: 'dynamic' (expected: default, linear, llama3 or yarn)"),
        Arguments.of(
            llama("\"rope_scaling\": {\"factor\": 2}"),
            "rope_scaling.type: missing (expected: a text)"),
        Arguments.of(
            llama("\"rope_scaling\": {\"type\": \"linear\", \"factor\": \"2\"}"),
            "rope_scaling.factor: '2' (expected: a number above 0)"),
        Arguments.of(
            llama(
                "\"rope_scaling\": {\"type\": \"llama3\", \"factor\": 2, \"low_freq_factor\": 4,"
                    + " \"high_freq_factor\": 4, \"original_max_position_embeddings\": 9}"),
            "rope_scaling.high_freq_factor: 4 (expected: more than low_freq_factor, 4.0)"),
        Arguments.of(
            llama("\"rope_parameters\": {\"full_attention\": {\"rope_type\": \"default\"}}"),
            "rope_parameters.full_attention: an object (expected: nothing: all layers turn alike)"),
        Arguments.of(
            llama("\"sliding_window\": 8, \"layer_types\": [\"full_attention\"]"),
            "layer_types: a list of 1 (expected: for each of 4 layers, full_attention or"
                + " sliding_attention)"),
        Arguments.of(
            llama(
                "\"sliding_window\": 8, \"layer_types\": [\"full_attention\","
                    + " \"sliding_attention\", \"full_attention\", \"full_attention\"]"),
            "layer_types: a list of 4 (expected: all layers with the sliding window of 8 tokens,"
                + " or none)"));
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource("unusable")
  void refuses(String json, String message) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(ModelFileException.class)
        .hasMessageStartingWith(folder.resolve("config.json") + ": ")
        .hasMessageContaining(message);
  }

  @Test
  void refusesWhatIsNoObject() throws IOException {
    Files.writeString(folder.resolve("config.json"), "[1, 2]");
    assertThatThrownBy(() -> HfConfig.open(folder))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("config.json: a list of 2 (expected: an object)");
    Files.writeString(folder.resolve("config.json"), " ".repeat(HfConfig.MAX_BYTES + 1));
    assertThatThrownBy(() -> HfConfig.open(folder))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("config.json: 1048577 bytes (expected: at most 1048576)");
  }

  private static String llama(String more) {
    return "\"model_type\": \"llama\", \"max_position_embeddings\": 64, " + more;
  }

  private ModelConfig read(String json) throws IOException {
    Files.writeString(folder.resolve("config.json"), "{" + json + SIZES + "}");
    return HfConfig.read(HfConfig.open(folder));
  }
}
