package dev.sluice.worker.model;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.sluice.common.tokenizer.TokenizerBundle;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Builds the {@code tokenizer.json} that a GGUF file does not have out of its metadata. */
final class GgufTokenizer {
  private static final String PREFIX = GgufVocabulary.PREFIX;

  /** Tokens that end a turn or a text, whatever the file's metadata says of them. */
  private static final Set<String> END_OF_TURN =
      Set.of(
          "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|endoftext|>", "<|end_of_text|>");

  private final GgufMetadata metadata;
  private final GgufVocabulary vocabulary;
  private final GgufTokenModel model;

  private GgufTokenizer(GgufFile file, int vocabularySize) {
    this.metadata = file.metadata();
    String kind = metadata.text(PREFIX + "model");
    if (!kind.equals("gpt2") && !kind.equals("llama")) {
      throw new ModelFileException(
          "%s: tokenizer model '%s' is not supported (expected: gpt2 or llama)"
              .formatted(file.path(), Excerpt.of(kind)));
    }
    this.vocabulary = new GgufVocabulary(file, vocabularySize);
    this.model =
        kind.equals("gpt2") ? new GgufBytePairs(vocabulary) : new GgufSentencePieces(vocabulary);
  }

  static TokenizerBundle read(GgufFile file, int vocabularySize) {
    return new GgufTokenizer(file, vocabularySize).bundle();
  }

  private TokenizerBundle bundle() {
    return new TokenizerBundle(
        tokenizerJson(),
        metadata.text("tokenizer.chat_template", ""),
        vocabulary.specialToken("bos_token_id", model),
        vocabulary.specialToken("eos_token_id", model),
        endTokens(),
        metadata.flag(PREFIX + "add_bos_token", model.addBos()));
  }

  private List<Integer> endTokens() {
    Set<Integer> ids = new TreeSet<>();
    for (String key : List.of("eos_token_id", "eot_token_id", "eom_token_id")) {
      vocabulary.special(key, model).ifPresent(ids::add);
    }
    for (int id = 0; id < vocabulary.size(); id++) {
      if (vocabulary.isControl(id) && END_OF_TURN.contains(vocabulary.token(id))) {
        ids.add(id);
      }
    }
    return new ArrayList<>(ids);
  }

  private String tokenizerJson() {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
      write(json);
    } catch (IOException e) {
      throw new UncheckedIOException("a StringWriter does not fail", e);
    }
    return text.toString();
  }

  private void write(JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("version", "1.0");
    json.writeNullField("truncation");
    json.writeNullField("padding");
    json.writeArrayFieldStart("added_tokens");
    for (int id = 0; id < vocabulary.size(); id++) {
      if (vocabulary.isAdded(id)) {
        writeAddedToken(json, id);
      }
    }
    json.writeEndArray();
    json.writeFieldName("normalizer");
    model.writeNormalizer(json);
    json.writeFieldName("pre_tokenizer");
    model.writePreTokenizer(json);
    json.writeNullField("post_processor");
    json.writeFieldName("decoder");
    model.writeDecoder(json);
    json.writeFieldName("model");
    model.writeModel(json);
    json.writeEndObject();
  }

  private void writeAddedToken(JsonGenerator json, int id) throws IOException {
    json.writeStartObject();
    json.writeNumberField("id", id);
    json.writeStringField("content", vocabulary.token(id));
    json.writeBooleanField("single_word", false);
    json.writeBooleanField("lstrip", false);
    json.writeBooleanField("rstrip", false);
    json.writeBooleanField("normalized", false);
    json.writeBooleanField("special", vocabulary.isSpecial(id));
    json.writeEndObject();
  }
}
