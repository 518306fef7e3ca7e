package dev.sluice.worker.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.common.tokenizer.Tokenizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class GgufCheckpointTest {
  @TempDir Path folder;

  @Test
  void readsTheConfiguration() {
    try (Checkpoint checkpoint = open(TinyLlama.gguf())) {
      assertThat(checkpoint.config())
          .isEqualTo(
              new ModelConfig(
                  "llama",
                  2,
                  8,
                  12,
                  2,
                  1,
                  4,
                  10,
                  64,
                  1e-5f,
                  10_000,
                  new RotaryScaling.None(),
                  true,
                  false,
                  false,
                  0));
      assertThat(checkpoint.names()).hasSize(2 + 2 * 9).doesNotContain("lm_head.weight");
      assertThat(checkpoint.shape("model.layers.1.mlp.down_proj.weight")).containsExactly(8, 12);
    }
  }

  @Test
  void readsAHeadOfItsOwn() {
    GgufWriter writer = TinyLlama.gguf();
    TinyLlama.floats(writer, "output.weight", TinyLlama.TOKENS.size(), TinyLlama.HIDDEN);
    try (Checkpoint checkpoint = open(writer)) {
      assertThat(checkpoint.config().tiedHead()).isFalse();
      assertThat(checkpoint.shape("lm_head.weight")).containsExactly(10, 8);
    }
  }

  @Test
  void putsRotaryPairsIntoHalves() {
    try (Checkpoint checkpoint = open(TinyLlama.gguf())) {
      assertThat(rows(checkpoint, "model.layers.0.self_attn.q_proj.weight"))
          .containsExactly(0, 2, 1, 3, 4, 6, 5, 7);
      assertThat(rows(checkpoint, "model.layers.0.self_attn.k_proj.weight"))
          .containsExactly(0, 2, 1, 3);
      assertThat(rows(checkpoint, "model.layers.0.self_attn.v_proj.weight"))
          .containsExactly(0, 1, 2, 3);
    }
  }

  @Test
  void readsBiasesOfQwen2() {
    GgufWriter writer = TinyLlama.gguf("qwen2");
    for (int layer = 0; layer < TinyLlama.LAYERS; layer++) {
      TinyLlama.floats(writer, "blk." + layer + ".attn_q.bias", 8);
      TinyLlama.floats(writer, "blk." + layer + ".attn_k.bias", 4);
      TinyLlama.floats(writer, "blk." + layer + ".attn_v.bias", 4);
    }
    try (Checkpoint checkpoint = open(writer)) {
      assertThat(checkpoint.config().architecture()).isEqualTo("qwen2");
      assertThat(checkpoint.config().attentionBias()).isTrue();
      assertThat(checkpoint.shape("model.layers.1.self_attn.k_proj.bias")).containsExactly(4);
      // Unlike Llama's, these rows are in the order of rotary halves already.
      assertThat(rows(checkpoint, "model.layers.0.self_attn.q_proj.weight"))
          .containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
    }
  }

  @Test
  void readsNormsOfQwen3() {
    GgufWriter writer = TinyLlama.gguf("qwen3");
    for (int layer = 0; layer < TinyLlama.LAYERS; layer++) {
      TinyLlama.floats(writer, "blk." + layer + ".attn_q_norm.weight", 4);
      TinyLlama.floats(writer, "blk." + layer + ".attn_k_norm.weight", 4);
    }
    try (Checkpoint checkpoint = open(writer)) {
      assertThat(checkpoint.config().queryKeyNorm()).isTrue();
      assertThat(checkpoint.config().attentionBias()).isFalse();
      assertThat(checkpoint.shape("model.layers.1.self_attn.q_norm.weight")).containsExactly(4);
    }
  }

  @Test
  void readsTheSlidingWindow() {
    assertThat(
            config(TinyLlama.gguf().uint32("llama.attention.sliding_window", 16)).slidingWindow())
        .isEqualTo(16);
    // As long as the context: it hides nothing.
    assertThat(
            config(TinyLlama.gguf().uint32("llama.attention.sliding_window", 64)).slidingWindow())
        .isZero();
  }

  @Test
  void readsRotaryScaling() {
    assertThat(config(TinyLlama.gguf().text("llama.rope.scaling.type", "none")).rotaryScaling())
        .isEqualTo(new RotaryScaling.None());
    assertThat(config(TinyLlama.gguf().float32("llama.rope.scale_linear", 4)).rotaryScaling())
        .isEqualTo(new RotaryScaling.Linear(4));
    assertThat(
            config(TinyLlama.gguf().floats("rope_freqs.weight", new float[] {1, 8}, 2))
                .rotaryScaling())
        .isEqualTo(new RotaryScaling.Divisors(List.of(1f, 8f)));
    ModelConfig yarn =
        config(
            TinyLlama.gguf()
                .text("llama.rope.scaling.type", "yarn")
                .float32("llama.rope.scaling.factor", 4)
                .uint32("llama.rope.scaling.original_context_length", 32));
    assertThat(yarn.rotaryScaling())
        .isEqualTo(new RotaryScaling.Yarn(4, 32, 32, 1, 0.1 * Math.log(4) + 1, true));
    assertThat(yarn.maxContext()).isEqualTo(128);
    ModelConfig weighted =
        config(
            TinyLlama.gguf()
                .text("llama.rope.scaling.type", "yarn")
                .float32("llama.rope.scaling.factor", 4)
                .float32("llama.rope.scaling.yarn_log_multiplier", 1)
                .float32("llama.rope.scaling.yarn_beta_fast", 16)
                .float32("llama.rope.scaling.attn_factor", 1.5f));
    assertThat(weighted.rotaryScaling()).isEqualTo(new RotaryScaling.Yarn(4, 64, 16, 1, 1.5, true));
  }

  private ModelConfig config(GgufWriter writer) {
    try (Checkpoint checkpoint = open(writer)) {
      return checkpoint.config();
    }
  }

  @Test
  void makesATokenizer() {
    try (Checkpoint checkpoint = open(TinyLlama.gguf());
        Tokenizer tokenizer = Tokenizer.load(checkpoint.tokenizer())) {
      assertThat(checkpoint.tokenizer().eosTokenIds()).containsExactly(0, 2);
      assertThat(tokenizer.encode("abc<user> 1<|im_end|>")).containsExactly(1, 6, 5, 7, 8, 9, 2);
      assertThat(tokenizer.isSpecial(2)).isTrue();
      assertThat(tokenizer.isSpecial(7)).isFalse();
    }
  }

  @Test
  void knowsItsContent() {
    GgufWriter changed = TinyLlama.gguf().uint32("llama.context_length", 65);
    try (Checkpoint one = Checkpoints.open(TinyLlama.gguf().write(folder.resolve("1")));
        Checkpoint same = Checkpoints.open(TinyLlama.gguf().write(folder.resolve("2")));
        Checkpoint other = Checkpoints.open(changed.write(folder.resolve("3")))) {
      assertThat(one.contentHash()).hasSize(64).isEqualTo(same.contentHash());
      assertThat(other.contentHash()).isNotEqualTo(one.contentHash());
    }
  }

  static Stream<Arguments> unusable() {
    GgufWriter extra = TinyLlama.gguf();
    TinyLlama.floats(extra, "blk.0.attn_q.bias", 8);
    return Stream.of(
        Arguments.of(
            TinyLlama.gguf().text("general.architecture", "mamba"),
            "architecture 'mamba' is not supported (expected: one of llama, qwen2, qwen3)"),
        Arguments.of(
            TinyLlama.gguf().remove("llama.block_count"),
            "metadata llama.block_count: missing (expected: a whole number from 1 to 4096)"),
        Arguments.of(
            TinyLlama.gguf().uint32("llama.block_count", 0),
            "metadata llama.block_count: 0 (expected: a whole number from 1 to 4096)"),
        Arguments.of(
            TinyLlama.gguf().text("llama.block_count", "two"),
            "metadata llama.block_count: 'two' (expected: a whole number from 1 to 4096)"),
        Arguments.of(
            TinyLlama.gguf().uint32("llama.attention.head_count", 3),
            "metadata llama.embedding_length: 8 (expected: a multiple of 3 heads)"),
        Arguments.of(
            TinyLlama.gguf()
                .uint32("llama.attention.head_count", 4)
                .uint32("llama.attention.head_count_kv", 3),
            "metadata llama.attention.head_count_kv: 3 (expected: a divisor of 4)"),
        Arguments.of(
            TinyLlama.gguf().uint32("llama.rope.dimension_count", 2),
            "metadata llama.rope.dimension_count: 2 (expected: a whole number from 4 to 4)"),
        Arguments.of(
            TinyLlama.gguf().text("llama.rope.scaling.type", "longrope"),
            "metadata llama.rope.scaling.type: 'longrope' (expected: none, linear or yarn)"),
        Arguments.of(
            TinyLlama.gguf()
                .text("llama.rope.scaling.type", "linear")
                .float32("llama.rope.scaling.factor", 4)
                .float32("llama.rope.scaling.attn_factor", 2),
            "metadata llama.rope.scaling.attn_factor: 2.0 (expected: 1.0)"),
        Arguments.of(
            TinyLlama.gguf().floats("rope_freqs.weight", new float[] {1, -1}, 2),
            "tensor rope_freqs.weight: element 1 is -1.0 (expected: a number above 0)"),
        Arguments.of(
            TinyLlama.gguf().floats("rope_freqs.weight", new float[] {1, 1, 1}, 3),
            "tensor rope_freqs.weight: shape [3] (expected: [2])"),
        Arguments.of(
            TinyLlama.gguf()
                .float32("llama.rope.scaling.factor", 2)
                .floats("rope_freqs.weight", new float[] {1, 1}, 2),
            "tensor rope_freqs.weight: together with metadata llama.rope.scaling"),
        Arguments.of(
            TinyLlama.gguf().put("split.count", 2, new byte[] {2, 0}),
            "metadata split.count: 2 (expected: a whole number from 0 to 1)"),
        Arguments.of(
            TinyLlama.gguf().uint32("llama.expert_count", 8),
            "metadata llama.expert_count: 8 (expected: a whole number from 0 to 0)"),
        Arguments.of(
            TinyLlama.gguf().relabel("blk.1.ffn_up.weight", "x", 12, 8),
            "tensor blk.1.ffn_up.weight: missing (expected: shape [12, 8])"),
        Arguments.of(
            TinyLlama.gguf().relabel("blk.1.ffn_up.weight", "blk.1.ffn_up.weight", 8, 12),
            "tensor blk.1.ffn_up.weight: shape [8, 12] (expected: [12, 8])"),
        Arguments.of(extra, "tensor blk.0.attn_q.bias: not known"),
        Arguments.of(
            TinyLlama.gguf().text("tokenizer.ggml.model", "t5"),
            "tokenizer model 't5' is not supported (expected: gpt2 or llama)"),
        Arguments.of(
            TinyLlama.gguf().text("tokenizer.ggml.model", "llama"),
            "metadata tokenizer.ggml.scores: missing (expected: a list of 10 FLOAT32)"),
        Arguments.of(
            TinyLlama.gguf()
                .text("tokenizer.ggml.model", "llama")
                .float32s("tokenizer.ggml.scores", new float[9]),
            "metadata tokenizer.ggml.scores: a list of 9 FLOAT32 (expected: a list of 10 FLOAT32)"),
        Arguments.of(
            TinyLlama.gguf()
                .text("tokenizer.ggml.model", "llama")
                .float32s("tokenizer.ggml.scores", 0, 0, 0, 0, 0, 0, 0, 0, 0, Float.NaN),
            "score of token 9: NaN (expected: a number)"),
        Arguments.of(
            TinyLlama.gguf().text("tokenizer.ggml.pre", "klingon"),
            "pre-tokenizer 'klingon' is not supported (expected: gpt-2, "),
        Arguments.of(
            TinyLlama.gguf().texts("tokenizer.ggml.tokens", List.of("a")),
            "tokens: 1 tokens (expected: 10, the rows of token_embd.weight)"),
        Arguments.of(
            TinyLlama.gguf().texts("tokenizer.ggml.tokens", TinyLlama.with(TinyLlama.TOKENS, "x")),
            "tokens: a list of 11 STRING (expected: a list of at most 10 texts)"),
        Arguments.of(
            TinyLlama.gguf()
                .texts(
                    "tokenizer.ggml.tokens", TinyLlama.with(TinyLlama.TOKENS.subList(0, 9), "ab")),
            "token 9: 'ab' (expected: another text than token 6)"),
        Arguments.of(
            TinyLlama.gguf().texts("tokenizer.ggml.merges", List.of("a b", "b c")),
            "merge 1: 'b c' (expected: two tokens, a space between them, that make a token)"),
        Arguments.of(
            TinyLlama.gguf().uint32("tokenizer.ggml.eos_token_id", 10),
            "eos_token_id: 10 (expected: a whole number from 0 to 9)"));
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource("unusable")
  void refuses(GgufWriter writer, String message) {
    assertThatThrownBy(() -> open(writer))
        .isInstanceOf(ModelFileException.class)
        .hasMessageStartingWith(folder.resolve("tiny.gguf") + ": ")
        .hasMessageContaining(message);
  }

  @Test
  void refusesOtherFormatsByTheirContent() throws Exception {
    Path zip = Files.writeString(folder.resolve("model.gguf"), "PK\3\4 and so on");
    assertThatThrownBy(() -> Checkpoints.open(zip))
        .isInstanceOf(ModelFileException.class)
        .hasMessage(
            zip
                + ": begins with the bytes '504b0304' (expected: a GGUF file, or a folder with"
                + " config.json and *.safetensors)");
    Path missing = folder.resolve("missing");
    assertThatThrownBy(() -> Checkpoints.open(missing))
        .isInstanceOf(ModelFileException.class)
        .hasMessageStartingWith(missing + ": no such file");
  }

  private Checkpoint open(GgufWriter writer) {
    return Checkpoints.open(writer.write(folder.resolve("tiny.gguf")));
  }

  /**
   * For each row of a weight, which row of the file it is: elements are row-major indices there.
   */
  private static int[] rows(Checkpoint checkpoint, String name) {
    long[] shape = checkpoint.shape(name);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment weight = arena.allocate(shape[0] * shape[1] * Float.BYTES);
      checkpoint.read(name, weight);
      int[] rows = new int[(int) shape[0]];
      for (int row = 0; row < rows.length; row++) {
        rows[row] = (int) (weight.getAtIndex(ValueLayout.JAVA_FLOAT, row * shape[1]) / shape[1]);
      }
      return rows;
    }
  }
}
