package dev.sluice.worker.model;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.sluice.common.tokenizer.TokenizerBundle;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Builds the {@code tokenizer.json} that a GGUF file does not have out of its vocabulary, merges,
 * token types and the name of its pre-tokenizer. Byte-level byte-pair vocabularies only ({@code
 * tokenizer.ggml.model} is {@code gpt2}).
 */
final class GgufTokenizer {
  private static final String PREFIX = "tokenizer.ggml.";

  /** Tokens that end a turn or a text, whatever the file's metadata says of them. */
  private static final Set<String> END_OF_TURN =
      Set.of(
          "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|endoftext|>", "<|end_of_text|>");

  /** {@code tokenizer.ggml.token_type}: not found in text, written out by templates. */
  private static final int UNKNOWN = 2;

  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;

  /** Merges of the vocabularies known are fewer than twice as many as the tokens. */
  private static final int MAX_MERGES_PER_TOKEN = 8;

  private final GgufFile file;
  private final GgufMetadata metadata;
  private final List<String> tokens;
  private final long[] types;
  private final List<String> merges;
  private final PreTokenizer preTokenizer;

  private GgufTokenizer(GgufFile file, int vocabularySize) {
    this.file = file;
    this.metadata = file.metadata();
    String model = metadata.text(PREFIX + "model");
    if (!model.equals("gpt2")) {
      throw new ModelFileException(
          "%s: tokenizer model '%s' is not supported (expected: gpt2)"
              .formatted(file.path(), model));
    }
    String pre = metadata.text(PREFIX + "pre");
    this.preTokenizer =
        PreTokenizer.ofName(pre)
            .orElseThrow(() ->
                new ModelFileException(
                    "%s: pre-tokenizer '%s' is not supported (expected: %s)"
                        .formatted(file.path(), pre, PreTokenizer.supported())));
    this.tokens = metadata.texts(PREFIX + "tokens", vocabularySize);
    if (tokens.size() != vocabularySize) {
      throw new ModelFileException(
          "%s: metadata %stokens: %d tokens (expected: %d, the rows of token_embd.weight)"
              .formatted(file.path(), PREFIX, tokens.size(), vocabularySize));
    }
    this.types = metadata.wholes(PREFIX + "token_type", vocabularySize);
    this.merges = metadata.texts(PREFIX + "merges", (long) MAX_MERGES_PER_TOKEN * vocabularySize);
    check();
  }

  static TokenizerBundle read(GgufFile file, int vocabularySize) {
    return new GgufTokenizer(file, vocabularySize).bundle();
  }

  /** What the tokenizer library would refuse later without naming the file. */
  private void check() {
    Map<String, Integer> ids = new HashMap<>();
    for (int id = 0; id < tokens.size(); id++) {
      Integer other = ids.putIfAbsent(tokens.get(id), id);
      if (other != null) {
        throw new ModelFileException(
            "%s: token %d: '%s' (expected: another text than token %d)"
                .formatted(file.path(), id, tokens.get(id), other));
      }
    }
    for (int i = 0; i < merges.size(); i++) {
      String merge = merges.get(i);
      int space = merge.indexOf(' ');
      boolean known =
          space > 0
              && ids.containsKey(merge.substring(0, space))
              && ids.containsKey(merge.substring(space + 1))
              && ids.containsKey(merge.substring(0, space) + merge.substring(space + 1));
      if (!known) {
        throw new ModelFileException(
            "%s: merge %d: '%s' (expected: two tokens, a space between them, that make a token)"
                .formatted(file.path(), i, merge));
      }
    }
  }

  private TokenizerBundle bundle() {
    return new TokenizerBundle(
        tokenizerJson(),
        metadata.text("tokenizer.chat_template", ""),
        tokenOf("bos_token_id"),
        tokenOf("eos_token_id"),
        endTokens(),
        metadata.flag(PREFIX + "add_bos_token", preTokenizer.addBos));
  }

  private String tokenOf(String key) {
    return metadata.has(PREFIX + key) ? tokens.get(id(key)) : "";
  }

  private int id(String key) {
    return (int) metadata.whole(PREFIX + key, 0, tokens.size() - 1);
  }

  private List<Integer> endTokens() {
    Set<Integer> ids = new TreeSet<>();
    for (String key : List.of("eos_token_id", "eot_token_id", "eom_token_id")) {
      if (metadata.has(PREFIX + key)) {
        ids.add(id(key));
      }
    }
    for (int id = 0; id < tokens.size(); id++) {
      if (types[id] == CONTROL && END_OF_TURN.contains(tokens.get(id))) {
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
    for (int id = 0; id < tokens.size(); id++) {
      if (types[id] == CONTROL || types[id] == USER_DEFINED || types[id] == UNKNOWN) {
        writeAddedToken(json, id);
      }
    }
    json.writeEndArray();
    json.writeNullField("normalizer");
    json.writeFieldName("pre_tokenizer");
    preTokenizer.write(json);
    json.writeNullField("post_processor");
    json.writeFieldName("decoder");
    PreTokenizer.byteLevel(json, true);
    json.writeFieldName("model");
    writeModel(json);
    json.writeEndObject();
  }

  private void writeAddedToken(JsonGenerator json, int id) throws IOException {
    json.writeStartObject();
    json.writeNumberField("id", id);
    json.writeStringField("content", tokens.get(id));
    json.writeBooleanField("single_word", false);
    json.writeBooleanField("lstrip", false);
    json.writeBooleanField("rstrip", false);
    json.writeBooleanField("normalized", false);
    json.writeBooleanField("special", types[id] != USER_DEFINED);
    json.writeEndObject();
  }

  private void writeModel(JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("type", "BPE");
    json.writeNullField("dropout");
    json.writeNullField("unk_token");
    json.writeNullField("continuing_subword_prefix");
    json.writeNullField("end_of_word_suffix");
    json.writeBooleanField("fuse_unk", false);
    json.writeBooleanField("byte_fallback", false);
    json.writeBooleanField("ignore_merges", preTokenizer.ignoreMerges);
    json.writeObjectFieldStart("vocab");
    for (int id = 0; id < tokens.size(); id++) {
      json.writeNumberField(tokens.get(id), id);
    }
    json.writeEndObject();
    json.writeArrayFieldStart("merges");
    for (String merge : merges) {
      json.writeString(merge);
    }
    json.writeEndArray();
    json.writeEndObject();
  }
}
