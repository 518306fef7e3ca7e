package dev.sluice.worker.model;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * The tokens of a GGUF file.
 *
 * <p>Threading: immutable after construction.
 */
final class GgufVocabulary {
  static final String PREFIX = "tokenizer.ggml.";

  /** What {@code tokenizer.ggml.token_type} says: not found in text, written out by templates. */
  static final int UNKNOWN = 2;

  static final int CONTROL = 3;
  static final int USER_DEFINED = 4;

  private final GgufFile file;
  private final List<String> tokens;
  private final long[] types;
  private final Map<String, Integer> ids = new HashMap<>();

  /** Reads tokens and types: as many as the model has embeddings. */
  GgufVocabulary(GgufFile file, int size) {
    this.file = file;
    GgufMetadata metadata = file.metadata();
    this.tokens = metadata.texts(PREFIX + "tokens", size);
    if (tokens.size() != size) {
      throw new ModelFileException(
          "%s: metadata %stokens: %d tokens (expected: %d, the rows of token_embd.weight)"
              .formatted(file.path(), PREFIX, tokens.size(), size));
    }
    this.types = metadata.wholes(PREFIX + "token_type", size);
    for (int id = 0; id < size; id++) {
      Integer other = ids.putIfAbsent(tokens.get(id), id);
      if (other != null) {
        throw new ModelFileException(
            "%s: token %d: '%s' (expected: another text than token %d)"
                .formatted(file.path(), id, Excerpt.of(tokens.get(id)), other));
      }
    }
  }

  GgufFile file() {
    return file;
  }

  GgufMetadata metadata() {
    return file.metadata();
  }

  int size() {
    return tokens.size();
  }

  String token(int id) {
    return tokens.get(id);
  }

  boolean has(String token) {
    return ids.containsKey(token);
  }

  /**
   * The id of a special token.
   *
   * @param key such as {@code bos_token_id}
   */
  OptionalInt special(String key, GgufTokenModel model) {
    if (metadata().has(PREFIX + key)) {
      return OptionalInt.of((int) metadata().whole(PREFIX + key, 0, size() - 1));
    }
    OptionalInt id = model.defaultId(key);
    return id.isPresent() && id.getAsInt() < size() ? id : OptionalInt.empty();
  }

  /** The text of a special token; empty if there is none. */
  String specialToken(String key, GgufTokenModel model) {
    OptionalInt id = special(key, model);
    return id.isPresent() ? token(id.getAsInt()) : "";
  }

  boolean isControl(int id) {
    return types[id] == CONTROL;
  }

  /** Whether the token is found in text as a whole, before anything else. */
  boolean isAdded(int id) {
    return types[id] == CONTROL || types[id] == USER_DEFINED || types[id] == UNKNOWN;
  }

  /** Whether the token is no text. */
  boolean isSpecial(int id) {
    return types[id] == CONTROL || types[id] == UNKNOWN;
  }

  /** Writes the property {@code vocab}. */
  void write(JsonGenerator json) throws IOException {
    json.writeObjectFieldStart("vocab");
    for (int id = 0; id < tokens.size(); id++) {
      json.writeNumberField(tokens.get(id), id);
    }
    json.writeEndObject();
  }
}
