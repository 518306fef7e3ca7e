package dev.sluice.common.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.BitSet;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;

/**
 * What we need of {@code tokenizer.json} and the native library does not tell: which ids exist,
 * which are special, and the id of one token. Read as a stream: the file has hundreds of thousands
 * of entries.
 */
final class TokenizerIndex {
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxStringLength(Integer.MAX_VALUE)
                  .maxNameLength(Integer.MAX_VALUE)
                  .maxDocumentLength(-1)
                  .build())
          // Millions of names that occur once: remembering them would only cost memory.
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .build();

  private final String wanted;
  private final BitSet known = new BitSet();
  private final BitSet special = new BitSet();
  private final Map<String, Integer> added = new LinkedHashMap<>();
  private final Map<String, Integer> plain = new LinkedHashMap<>();
  private OptionalInt wantedId = OptionalInt.empty();

  private TokenizerIndex(String wanted) {
    this.wanted = wanted;
  }

  /**
   * Reads the whole file.
   *
   * @param wanted text of the token whose id {@link #wantedId} will be
   */
  static TokenizerIndex read(String tokenizerJson, String wanted) {
    TokenizerIndex index = new TokenizerIndex(wanted);
    try (JsonParser json = JSON.createParser(tokenizerJson)) {
      expect(json, json.nextToken(), JsonToken.START_OBJECT);
      for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
        json.nextToken();
        switch (name) {
          case "added_tokens" -> index.readAddedTokens(json);
          case "model" -> index.readModel(json);
          default -> json.skipChildren();
        }
      }
    } catch (IOException e) {
      throw new TokenizerException("tokenizer.json is not valid JSON: " + e.getMessage(), e);
    }
    if (index.known.isEmpty()) {
      throw new TokenizerException(
          "tokenizer.json has no tokens (expected: model.vocab with at least one)");
    }
    return index;
  }

  /** The whole file as a tree, for what is needed of it once. */
  static JsonNode tree(String tokenizerJson) {
    try {
      return new ObjectMapper(JSON).readTree(tokenizerJson);
    } catch (IOException e) {
      throw new TokenizerException("tokenizer.json is not valid JSON: " + e.getMessage(), e);
    }
  }

  /** One more than the highest id. */
  int size() {
    return known.length();
  }

  boolean isSpecial(int id) {
    return special.get(id);
  }

  /** Texts and ids of {@code added_tokens}. */
  Map<String, Integer> added() {
    return Collections.unmodifiableMap(added);
  }

  /**
   * Those of {@link #added} that are special, are looked for before anything else is done with a
   * text, and take nothing but their own characters from it.
   */
  Map<String, Integer> plain() {
    return Collections.unmodifiableMap(plain);
  }

  OptionalInt wantedId() {
    return wantedId;
  }

  private void readModel(JsonParser json) throws IOException {
    expect(json, json.currentToken(), JsonToken.START_OBJECT);
    for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
      JsonToken value = json.nextToken();
      if (!name.equals("vocab")) {
        json.skipChildren();
      } else if (value == JsonToken.START_ARRAY) {
        readScoredTokens(json);
      } else {
        readTokenIds(json);
      }
    }
  }

  /** BPE, WordPiece, WordLevel: {"token": id, ...}. */
  private void readTokenIds(JsonParser json) throws IOException {
    expect(json, json.currentToken(), JsonToken.START_OBJECT);
    for (String token = json.nextFieldName(); token != null; token = json.nextFieldName()) {
      json.nextToken();
      add(token, json.getIntValue());
    }
  }

  /** Unigram: [["token", score], ...]; the id is the place in the list. */
  private void readScoredTokens(JsonParser json) throws IOException {
    for (int id = 0; json.nextToken() == JsonToken.START_ARRAY; id++) {
      json.nextToken();
      add(json.getText(), id);
      while (json.nextToken() != JsonToken.END_ARRAY) {
        json.skipChildren();
      }
    }
  }

  private void readAddedTokens(JsonParser json) throws IOException {
    if (json.currentToken() == JsonToken.VALUE_NULL) {
      return;
    }
    expect(json, json.currentToken(), JsonToken.START_ARRAY);
    while (json.nextToken() == JsonToken.START_OBJECT) {
      int id = -1;
      String content = "";
      boolean isSpecial = false;
      boolean isPlain = true;
      boolean normalized = true;
      for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
        json.nextToken();
        switch (name) {
          case "id" -> id = json.getIntValue();
          case "content" -> content = json.getText();
          case "special" -> isSpecial = json.getBooleanValue();
          case "normalized" -> normalized = json.getBooleanValue();
          case "lstrip", "rstrip", "single_word" -> isPlain &= !json.getBooleanValue();
          default -> json.skipChildren();
        }
      }
      add(content, id);
      added.put(content, id);
      special.set(id, isSpecial);
      if (isSpecial && isPlain && !normalized && !content.isEmpty()) {
        plain.put(content, id);
      }
    }
  }

  private void add(String token, int id) {
    if (id < 0) {
      throw new TokenizerException("token '" + token + "': id " + id + " (expected: 0 or more)");
    }
    known.set(id);
    if (token.equals(wanted)) {
      wantedId = OptionalInt.of(id);
    }
  }

  private static void expect(JsonParser json, JsonToken actual, JsonToken expected)
      throws IOException {
    if (actual != expected) {
      throw new TokenizerException(
          "tokenizer.json: %s at %s (expected: %s)"
              .formatted(actual, json.currentLocation().offsetDescription(), expected));
    }
  }
}
