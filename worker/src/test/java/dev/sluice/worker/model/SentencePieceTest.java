package dev.sluice.worker.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.common.tokenizer.TextStream;
import dev.sluice.common.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A SentencePiece vocabulary in a GGUF file, against llama.cpp and SentencePiece itself: {@code
 * src/test/python/sentencepiece_tokens.py}.
 */
class SentencePieceTest {
  private static final int BOS = 1;

  private final JsonNode expected = Resources.json("sentencepiece_tokens.json");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void makesTheTokensOfLlamaCpp(boolean spacePrefix) {
    try (Checkpoint checkpoint = open(gguf().flag("tokenizer.ggml.add_space_prefix", spacePrefix));
        Tokenizer tokenizer = Tokenizer.load(checkpoint.tokenizer())) {
      for (JsonNode text : expected.get("cases")) {
        assertThat(tokenizer.encodeRendered(text.get("text").asText()))
            .as(text.get("text").asText())
            .containsExactly(Resources.ints(text.get(spacePrefix ? "prefixed" : "plain")));
      }
    }
  }

  @Test
  void givesTheTextBack() {
    try (Checkpoint checkpoint = open(gguf());
        Tokenizer tokenizer = Tokenizer.load(checkpoint.tokenizer())) {
      for (JsonNode text : expected.get("cases")) {
        String original = text.get("text").asText();
        if (original.contains("<") || original.contains("[INST]") || original.contains("▁")) {
          continue; // special tokens are no text, and a space comes behind them
        }
        int[] tokens = Resources.ints(text.get("prefixed"));
        assertThat(tokenizer.decode(tokens, true)).isEqualTo(original);
        assertThat(streamed(tokenizer, tokens)).isEqualTo(original);
      }
    }
  }

  private static String streamed(Tokenizer tokenizer, int[] tokens) {
    TextStream stream = tokenizer.textStream();
    StringBuilder text = new StringBuilder();
    for (int token : tokens) {
      text.append(stream.append(token));
    }
    return text.append(stream.flush()).toString();
  }

  @Test
  void knowsTheSpecialTokensOfLlama() {
    try (Checkpoint checkpoint = open(gguf());
        Tokenizer tokenizer = Tokenizer.load(checkpoint.tokenizer())) {
      assertThat(checkpoint.tokenizer().bosToken()).isEqualTo("<s>");
      assertThat(checkpoint.tokenizer().eosToken()).isEqualTo("</s>");
      assertThat(checkpoint.tokenizer().eosTokenIds()).containsExactly(2);
      assertThat(checkpoint.tokenizer().addBos()).isTrue();
      assertThat(tokenizer.encode("")).containsExactly(BOS);
      assertThat(tokenizer.isSpecial(0)).isTrue();
      assertThat(tokenizer.isSpecial(3)).isFalse(); // defined by the user: text
    }
  }

  private Checkpoint open(GgufWriter writer) {
    return Checkpoints.open(writer.write(folder.resolve("tiny.gguf")));
  }

  private GgufWriter gguf() {
    List<String> tokens = new ArrayList<>();
    expected.get("tokens").forEach(token -> tokens.add(token.asText()));
    float[] scores = new float[tokens.size()];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = (float) expected.get("scores").get(i).asDouble();
    }
    GgufWriter writer =
        TinyLlama.gguf("llama", tokens.size())
            .text("tokenizer.ggml.model", "llama")
            .texts("tokenizer.ggml.tokens", tokens)
            .float32s("tokenizer.ggml.scores", scores)
            .int32s("tokenizer.ggml.token_type", Resources.ints(expected.get("types")));
    for (String key : List.of("bos_token_id", "eos_token_id", "add_bos_token", "pre", "merges")) {
      writer.remove("tokenizer.ggml." + key);
    }
    return writer;
  }
}
