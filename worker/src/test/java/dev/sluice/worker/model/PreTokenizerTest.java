package dev.sluice.worker.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.common.tokenizer.Tokenizer;
import dev.sluice.common.tokenizer.TokenizerBundle;
import java.io.IOException;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PreTokenizerTest {
  /** The default model's vocabulary, cut as other models do: what llama.cpp makes of it. */
  @ParameterizedTest
  @ValueSource(strings = {"gpt-2", "llama-bpe", "qwen2"})
  void cutsLikeLlamaCpp(String name) throws IOException {
    PreTokenizer pre = PreTokenizer.ofName(name).orElseThrow();
    try (Checkpoint checkpoint = Checkpoints.open(TestModel.path());
        Tokenizer tokenizer = Tokenizer.load(with(pre, checkpoint.tokenizer()))) {
      for (JsonNode expected : Resources.json("pre_tokenizers.json")) {
        String text = expected.get("text").asText();
        assertThat(tokenizer.encodeRendered(text))
            .as(text)
            .containsExactly(Resources.ints(expected.get(name)));
      }
    }
  }

  @Test
  void knowsNamesByTheWhole() {
    assertThat(PreTokenizer.ofName("starcoder")).contains(PreTokenizer.DIGITS);
    assertThat(PreTokenizer.ofName("llama3")).contains(PreTokenizer.LLAMA3);
    assertThat(PreTokenizer.ofName("llama")).isEmpty();
    assertThat(PreTokenizer.ofName("mpt, olmo")).isEmpty();
    assertThat(PreTokenizer.ofName("")).isEmpty();
  }

  private static TokenizerBundle with(PreTokenizer pre, TokenizerBundle bundle) throws IOException {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
      pre.write(json);
    }
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode tokenizer = (ObjectNode) mapper.readTree(bundle.tokenizerJson());
    tokenizer.set("pre_tokenizer", mapper.readTree(text.toString()));
    ((ObjectNode) tokenizer.get("model")).put("ignore_merges", pre.ignoreMerges);
    return new TokenizerBundle(tokenizer.toString(), "", "", "", List.of(2), false);
  }
}
