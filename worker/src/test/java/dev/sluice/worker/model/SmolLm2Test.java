package dev.sluice.worker.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.common.tokenizer.Tokenizer;
import dev.sluice.common.tokenizer.TokenizerBundle;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The default model against what other programs read in the same file: the Python package {@code
 * gguf} for the weights (q and k put in the order of rotary halves there), llama.cpp for the
 * tokens.
 */
class SmolLm2Test {
  private static Checkpoint checkpoint;

  @BeforeAll
  static void open() {
    checkpoint = Checkpoints.open(TestModel.path());
  }

  @AfterAll
  static void close() {
    checkpoint.close();
  }

  @Test
  void readsTheConfiguration() {
    assertThat(checkpoint.config())
        .isEqualTo(
            new ModelConfig(
                "llama",
                30,
                576,
                1536,
                9,
                3,
                64,
                49152,
                8192,
                1e-5f,
                100_000,
                new RotaryScaling.None(),
                true,
                false,
                false,
                0));
    assertThat(checkpoint.names()).hasSize(272).doesNotContain("lm_head.weight");
    assertThat(checkpoint.contentHash())
        .isEqualTo("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53");
  }

  @Test
  void readsTheSameWeights() {
    for (JsonNode expected : Resources.json("smollm2_135m_weights.json")) {
      String name = expected.get("name").asText();
      long[] shape = Resources.longs(expected.get("shape"));
      assertThat(checkpoint.shape(name)).as(name).containsExactly(shape);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment weight =
            arena.allocate(LongStream.of(shape).reduce(1, (a, b) -> a * b) * Float.BYTES);
        checkpoint.read(name, weight);
        for (int i = 0; i < expected.get("indices").size(); i++) {
          long index = expected.get("indices").get(i).asLong();
          assertThat(weight.getAtIndex(ValueLayout.JAVA_FLOAT, index))
              .as("%s[%d]", name, index)
              .isEqualTo((float) expected.get("values").get(i).asDouble());
        }
        assertThat(Sha256.of(weight)).as(name).isEqualTo(expected.get("sha256").asText());
      }
    }
  }

  @Test
  void refusesAnUnknownWeightAndAWrongSize() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment destination = arena.allocate(4);
      assertThatThrownBy(() -> checkpoint.read("model.layers.30.mlp.up_proj.weight", destination))
          .isInstanceOf(ModelFileException.class)
          .hasMessageContaining(TestModel.path().toString())
          .hasMessageContaining("model.layers.30.mlp.up_proj.weight");
      assertThatThrownBy(() -> checkpoint.read("model.norm.weight", destination))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("destination of model.norm.weight: 4 bytes (expected: 2304, 576 elements)");
    }
  }

  @Test
  void makesTheSameTokens() {
    try (Tokenizer tokenizer = Tokenizer.load(checkpoint.tokenizer())) {
      for (JsonNode expected : Resources.json("smollm2_135m_tokens.json")) {
        String text = expected.get("text").asText();
        int[] ids = tokenizer.encode(text);
        assertThat(ids).as(text).containsExactly(Resources.ints(expected.get("ids")));
        assertThat(tokenizer.decode(ids, false)).isEqualTo(text);
      }
    }
  }

  @Test
  void readsWhatSurroundsTheTokens() {
    TokenizerBundle bundle = checkpoint.tokenizer();
    assertThat(bundle.bosToken()).isEqualTo("<|im_start|>");
    assertThat(bundle.eosToken()).isEqualTo("<|im_end|>");
    assertThat(bundle.eosTokenIds()).containsExactly(0, 2);
    assertThat(bundle.addBos()).isFalse();
    assertThat(bundle.chatTemplate()).startsWith("{% for message in messages %}");
  }
}
