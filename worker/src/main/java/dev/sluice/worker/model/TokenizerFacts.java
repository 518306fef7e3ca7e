package dev.sluice.worker.model;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonStreamContext;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What has to be known of a {@code tokenizer.json} to use it with a model: the ids of some tokens,
 * that no id is outside the model's vocabulary, and how it begins a text. Read as a stream: the
 * file has hundreds of thousands of entries.
 */
final class TokenizerFacts {
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder().maxStringLength(1 << 20).maxNestingDepth(100).build())
          // Names that occur once: remembering them would only cost memory.
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .build();

  private final Path file;
  private final int vocabularySize;
  private final Set<String> wanted;
  private final Map<String, Integer> ids = new HashMap<>();
  private String first = "";
  private boolean hasModel;

  private TokenizerFacts(Path file, int vocabularySize, Set<String> wanted) {
    this.file = file;
    this.vocabularySize = vocabularySize;
    this.wanted = wanted;
  }

  /**
   * Reads a whole file.
   *
   * @param vocabularySize all ids must be below it
   * @param wanted texts of tokens whose ids {@link #idOf} will tell
   */
  static TokenizerFacts read(
      Path file, String tokenizerJson, int vocabularySize, Set<String> wanted) {
    TokenizerFacts facts = new TokenizerFacts(file, vocabularySize, wanted);
    try (JsonParser json = JSON.createParser(tokenizerJson)) {
      facts.read(json);
    } catch (JacksonException e) {
      throw new ModelFileException(
          "%s: is not valid JSON: %s (expected: a tokenizer)"
              .formatted(file, e.getOriginalMessage()),
          e);
    } catch (IOException e) {
      throw new ModelFileException(file + ": cannot be read: " + e, e);
    }
    return facts;
  }

  /** The id of a token that was wanted. */
  OptionalInt idOf(String token) {
    Integer id = ids.get(token);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  /** Whether its post-processor would put this token before a text. */
  boolean begins(String token) {
    return first.equals(token);
  }

  private void read(JsonParser json) throws IOException {
    expect(json.nextToken() == JsonToken.START_OBJECT, json, "", "an object");
    for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
      JsonToken value = json.nextToken();
      switch (name) {
        case "added_tokens" -> readAdded(json);
        case "model" -> readModel(json);
        case "post_processor" -> {
          if (value == JsonToken.START_OBJECT) {
            readPostProcessor(json);
          }
        }
        default -> json.skipChildren();
      }
    }
    if (!hasModel) {
      throw new ModelFileException(
          file + ": model.vocab: missing (expected: the tokens and their ids)");
    }
  }

  private void readAdded(JsonParser json) throws IOException {
    if (json.currentToken() == JsonToken.VALUE_NULL) {
      return;
    }
    expect(json.currentToken() == JsonToken.START_ARRAY, json, "added_tokens", "a list");
    while (json.nextToken() != JsonToken.END_ARRAY) {
      expect(json.currentToken() == JsonToken.START_OBJECT, json, "added_tokens", "objects");
      String content = "";
      int id = -1;
      for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
        JsonToken value = json.nextToken();
        if (name.equals("id")) {
          id = id(json, "added_tokens");
        } else if (name.equals("content")) {
          expect(value == JsonToken.VALUE_STRING, json, "added_tokens: content", "a text");
          content = json.getText();
        } else {
          json.skipChildren();
        }
      }
      expect(id >= 0, json, "added_tokens: '" + Excerpt.of(content) + "'", "an id");
      note(content, id);
    }
  }

  private void readModel(JsonParser json) throws IOException {
    expect(json.currentToken() == JsonToken.START_OBJECT, json, "model", "an object");
    for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
      JsonToken value = json.nextToken();
      if (!name.equals("vocab")) {
        json.skipChildren();
      } else if (value == JsonToken.START_ARRAY) {
        readScored(json);
      } else {
        expect(value == JsonToken.START_OBJECT, json, "model.vocab", "an object or a list");
        while (json.nextToken() != JsonToken.END_OBJECT) {
          String token = json.currentName();
          json.nextToken();
          note(token, id(json, "model.vocab: '" + Excerpt.of(token) + "'"));
        }
        hasModel = true;
      }
    }
  }

  /** Unigram: the id of a token is its place in the list. */
  private void readScored(JsonParser json) throws IOException {
    int tokens = 0;
    while (json.nextToken() != JsonToken.END_ARRAY) {
      expect(json.currentToken() == JsonToken.START_ARRAY, json, "model.vocab", "lists");
      json.nextToken();
      if (json.currentToken() == JsonToken.VALUE_STRING) {
        note(json.getText(), tokens);
      }
      while (json.currentToken() != JsonToken.END_ARRAY) {
        json.skipChildren();
        json.nextToken();
      }
      tokens++;
    }
    if (tokens > vocabularySize) {
      throw new ModelFileException(
          "%s: model.vocab: %d tokens (expected: at most %d, the rows of the embedding)"
              .formatted(file, tokens, vocabularySize));
    }
    hasModel = true;
  }

  private void note(String token, int id) {
    if (wanted.contains(token)) {
      ids.put(token, id);
    }
  }

  /** Finds the special token that a template called single begins with, however deep. */
  private void readPostProcessor(JsonParser json) throws IOException {
    for (int depth = 1; depth > 0; ) {
      JsonToken token = json.nextToken();
      if (token.isStructStart()) {
        depth++;
      } else if (token.isStructEnd()) {
        depth--;
      } else if (token == JsonToken.VALUE_STRING && beginsSingle(json.getParsingContext())) {
        first = json.getText();
      }
    }
  }

  /** Whether this is the place of id in {@code "single": [{"SpecialToken": {"id": ...}}, ...]}. */
  private static boolean beginsSingle(JsonStreamContext context) {
    JsonStreamContext token = context.getParent();
    if (token == null || token.getParent() == null || token.getParent().getParent() == null) {
      return false;
    }
    JsonStreamContext list = token.getParent();
    return "id".equals(context.getCurrentName())
        && "SpecialToken".equals(token.getCurrentName())
        && list.inArray()
        && list.getCurrentIndex() == 0
        && "single".equals(list.getParent().getCurrentName());
  }

  /** A token's id: the current value. */
  private int id(JsonParser json, String what) throws IOException {
    boolean fits =
        json.currentToken() == JsonToken.VALUE_NUMBER_INT
            && json.getNumberType() == JsonParser.NumberType.INT
            && json.getIntValue() >= 0
            && json.getIntValue() < vocabularySize;
    expect(
        fits, json, what, "an id from 0 to " + (vocabularySize - 1) + ", a row of the embedding");
    return json.getIntValue();
  }

  private void expect(boolean fits, JsonParser json, String what, String expected)
      throws IOException {
    if (!fits) {
      String found = json.currentToken() == null ? "missing" : Excerpt.of(json.getText());
      throw new ModelFileException(
          "%s: %s: %s (expected: %s)".formatted(file, what, found, expected));
    }
  }
}
