package dev.sluice.worker.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.common.tokenizer.Tokenizer;
import dev.sluice.common.tokenizer.TokenizerBundle;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsCheckpointTest {
  private static final String UP = "model.layers.1.mlp.up_proj.weight";

  @TempDir Path folder;
  private TinyFolder tiny = new TinyFolder();

  @BeforeEach
  void start() {
    tiny = new TinyFolder();
  }

  @Test
  void readsWeights() {
    try (Checkpoint checkpoint = Checkpoints.open(tiny.write(folder))) {
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
      assertThat(checkpoint.names()).isEqualTo(tiny.shapes.keySet());
      assertThat(checkpoint.shape(UP)).containsExactly(12, 8);
      assertThat(read(checkpoint, UP)).startsWith(0, 1, 2, 3).hasSize(96).endsWith(95);
      // Rows are in the order of rotary halves already.
      assertThat(read(checkpoint, "model.layers.0.self_attn.q_proj.weight"))
          .startsWith(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    }
  }

  @Test
  void readsShards() throws IOException {
    Path sharded = Files.createDirectory(folder.resolve("sharded"));
    Path single = Files.createDirectory(folder.resolve("single"));
    try (Checkpoint one = Checkpoints.open(tiny.write(single));
        Checkpoint two = Checkpoints.open(tiny.writeSharded(sharded))) {
      assertThat(two.config()).isEqualTo(one.config());
      for (String name : tiny.shapes.keySet()) {
        assertThat(two.shape(name)).isEqualTo(one.shape(name));
        assertThat(read(two, name)).isEqualTo(read(one, name));
      }
    }
  }

  @Test
  void readsHalvesAndBrainFloats() {
    float[] values = {1, -2.5f, 0, 0.15625f, 1e-3f, 7, 8, -9};
    tiny.writeTexts(folder);
    tiny.shapes.remove("model.norm.weight");
    tiny.shapes.remove("model.layers.0.input_layernorm.weight");
    tiny.weights(0, tiny.shapes.size())
        .bfloats("model.norm.weight", values, 8)
        .halves("model.layers.0.input_layernorm.weight", values, 8)
        .write(folder.resolve("model.safetensors"));
    try (Checkpoint checkpoint = Checkpoints.open(folder)) {
      assertThat(read(checkpoint, "model.norm.weight"))
          .containsExactly(1, -2.5f, 0, 0.15625f, 0.0009994507f, 7, 8, -9);
      assertThat(read(checkpoint, "model.layers.0.input_layernorm.weight"))
          .containsExactly(1, -2.5f, 0, 0.15625f, 0.0010004044f, 7, 8, -9);
    }
  }

  @Test
  void readsAHeadOfItsOwn() {
    tiny.config.put("tie_word_embeddings", false);
    refuses(folder + ": tensor lm_head.weight: missing (expected: shape [10, 8])");
    tiny.shapes.put("lm_head.weight", new long[] {10, 8});
    try (Checkpoint checkpoint = Checkpoints.open(tiny.write(folder))) {
      assertThat(checkpoint.config().tiedHead()).isFalse();
      assertThat(checkpoint.shape("lm_head.weight")).containsExactly(10, 8);
    }
  }

  @Test
  void passesOverWhatFollowsFromTheRest() {
    tiny.shapes.put("lm_head.weight", new long[] {10, 8});
    tiny.shapes.put("model.layers.0.self_attn.rotary_emb.inv_freq", new long[] {2});
    try (Checkpoint checkpoint = Checkpoints.open(tiny.write(folder))) {
      assertThat(checkpoint.names()).hasSize(2 + 2 * 9).doesNotContain("lm_head.weight");
    }
  }

  @Test
  void knowsItsContent() throws IOException {
    Path other = Files.createDirectory(folder.resolve("other"));
    Path same = Files.createDirectory(folder.resolve("same"));
    String hash;
    try (Checkpoint checkpoint = Checkpoints.open(tiny.write(folder))) {
      hash = checkpoint.contentHash();
    }
    try (Checkpoint checkpoint = Checkpoints.open(tiny.write(same))) {
      assertThat(checkpoint.contentHash()).hasSize(64).isEqualTo(hash);
    }
    tiny.config.put("rms_norm_eps", 1e-4);
    try (Checkpoint checkpoint = Checkpoints.open(tiny.write(other))) {
      assertThat(checkpoint.contentHash()).isNotEqualTo(hash);
    }
  }

  @Test
  void refusesWeightsThatDoNotFit() {
    tiny.shapes.put(UP, new long[] {8, 12});
    refuses("model.safetensors: tensor " + UP + ": shape [8, 12] (expected: [12, 8])");
    tiny.shapes.remove(UP);
    refuses("tensor " + UP + ": missing (expected: shape [12, 8])");
    tiny = new TinyFolder();
    tiny.shapes.put("model.layers.0.self_attn.q_proj.bias", new long[] {8});
    refuses(
        "model.safetensors: tensor model.layers.0.self_attn.q_proj.bias: not known (expected: only"
            + " the weights of the architecture 'llama')");
  }

  @Test
  void refusesOtherTypes() {
    tiny.writeTexts(folder);
    tiny.shapes.remove("model.norm.weight");
    tiny.weights(0, tiny.shapes.size())
        .tensor("model.norm.weight", "F8_E4M3", new byte[8], 8)
        .write(folder.resolve("model.safetensors"));
    refusesAsItIs(
        "model.safetensors: tensor model.norm.weight: dtype F8_E4M3 (expected: one of F32, F16,"
            + " BF16)");
  }

  @Test
  void refusesAnIndexThatDoesNotFit() throws IOException {
    tiny.writeSharded(folder);
    Path index = folder.resolve("model.safetensors.index.json");
    String sound = Files.readString(index);

    Files.writeString(index, sound.replace("00001-of", "00003-of"));
    refusesAsItIs("model-00003-of-00002.safetensors: no such file");
    Files.writeString(index, sound.replace("model.norm.weight", "model.norm.bias"));
    refusesAsItIs(
        "model-00002-of-00002.safetensors: tensor model.norm.bias: missing (expected: as"
            + " model.safetensors.index.json lists it)");
    Files.writeString(index, sound.replace("model-00001", "../model-00001"));
    refusesAsItIs("(expected: the name of a safetensors file in this folder)");
    Files.writeString(index, sound.replace("weight_map", "map"));
    refusesAsItIs("weight_map: missing or empty (expected: file names by tensor)");
    Files.writeString(index, sound.substring(0, sound.length() / 2));
    refusesAsItIs("index.json: is not valid JSON");
  }

  @Test
  void refusesATensorInTwoShards() throws IOException {
    tiny.writeSharded(folder);
    tiny.weights(0, tiny.shapes.size()).write(folder.resolve("model-00002-of-00002.safetensors"));
    refusesAsItIs("also in model-0000");
  }

  @Test
  void refusesAFolderWithoutWeights() throws IOException {
    tiny.writeTexts(folder);
    refusesAsItIs("model.safetensors: no such file (expected: a safetensors file)");
    Files.delete(folder.resolve("config.json"));
    refusesAsItIs(
        folder
            + ": a folder without config.json (expected: a GGUF file, or a folder with config.json"
            + " and *.safetensors)");
  }

  @Test
  void readsTheTokenizer() {
    try (Checkpoint checkpoint = Checkpoints.open(tiny.write(folder));
        Tokenizer tokenizer = Tokenizer.load(checkpoint.tokenizer())) {
      TokenizerBundle bundle = checkpoint.tokenizer();
      assertThat(bundle.bosToken()).isEqualTo("<s>");
      assertThat(bundle.eosToken()).isEqualTo("</s>");
      assertThat(bundle.eosTokenIds()).containsExactly(1);
      assertThat(bundle.chatTemplate()).isEqualTo("{{ messages }}");
      assertThat(bundle.addBos()).isTrue(); // as the post-processor does
      assertThat(tokenizer.encode("abc")).containsExactly(0, 4, 5);
    }
  }

  @Test
  void readsWhatSurroundsTheTokens() {
    tiny.tokenizerConfig.put("add_bos_token", false);
    tiny.generationConfig.putArray("eos_token_id").add(1).add(5);
    tiny.texts.put("chat_template.jinja", "from its own file");
    try (Checkpoint checkpoint = Checkpoints.open(tiny.write(folder))) {
      assertThat(checkpoint.tokenizer().addBos()).isFalse();
      assertThat(checkpoint.tokenizer().eosTokenIds()).containsExactly(1, 5);
      assertThat(checkpoint.tokenizer().chatTemplate()).isEqualTo("from its own file");
    }
  }

  @Test
  void choosesTheDefaultTemplate() {
    var templates = tiny.tokenizerConfig.putArray("chat_template");
    templates.addObject().put("name", "tool_use").put("template", "tools");
    templates.addObject().put("name", "default").put("template", "chat");
    try (Checkpoint checkpoint = Checkpoints.open(tiny.write(folder))) {
      assertThat(checkpoint.tokenizer().chatTemplate()).isEqualTo("chat");
    }
  }

  @Test
  void doesWithoutWhatNeedNotBeThere() {
    tiny.tokenizerConfig.removeAll();
    tiny.config.remove(List.of("eos_token_id"));
    try (Checkpoint checkpoint = Checkpoints.open(tiny.write(folder))) {
      assertThat(checkpoint.tokenizer().bosToken()).isEmpty();
      assertThat(checkpoint.tokenizer().addBos()).isFalse();
      assertThat(checkpoint.tokenizer().eosTokenIds()).isEmpty();
      assertThat(checkpoint.tokenizer().chatTemplate()).isEmpty();
    }
  }

  @Test
  void refusesTokenizersThatDoNotFit() throws IOException {
    tiny.tokenizerConfig.put("eos_token", "<end>");
    refuses(
        "tokenizer_config.json: eos_token: '<end>' (expected: a token of tokenizer.json, not"
            + " '<end>')");
    tiny = new TinyFolder();
    tiny.config.put("eos_token_id", 10);
    refuses("config.json: eos_token_id: 10 (expected: a token or a list of them, from 0 to 9)");
    tiny = new TinyFolder();
    tiny.texts.put("tokenizer.json", TinyFolder.TOKENIZER.replace("\"c\": 5", "\"c\": 10"));
    refuses(
        "tokenizer.json: model.vocab: 'c': 10 (expected: an id from 0 to 9, a row of the"
            + " embedding)");
    tiny.texts.put("tokenizer.json", "{\"version\": 1}");
    refuses("tokenizer.json: model.vocab: missing (expected: the tokens and their ids)");
    tiny.texts.put("tokenizer.json", "{\"model\": ");
    refuses("tokenizer.json: is not valid JSON");
    tiny.texts.remove("tokenizer.json");
    Files.delete(folder.resolve("tokenizer.json"));
    tiny.texts.put("tokenizer.model", "");
    refuses(
        "tokenizer.json: no such file (expected: a tokenizer in this format; tokenizer.model is"
            + " not read)");
  }

  private void refuses(String message) {
    tiny.write(folder);
    refusesAsItIs(message);
  }

  private void refusesAsItIs(String message) {
    assertThatThrownBy(() -> Checkpoints.open(folder))
        .isInstanceOf(ModelFileException.class)
        .hasMessageStartingWith(folder.toString())
        .hasMessageContaining(message);
  }

  private static float[] read(Checkpoint checkpoint, String name) {
    int elements = 1;
    for (long dimension : checkpoint.shape(name)) {
      elements *= (int) dimension;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment weight = arena.allocate((long) elements * Float.BYTES);
      checkpoint.read(name, weight);
      return weight.toArray(ValueLayout.JAVA_FLOAT);
    }
  }
}
