package dev.sluice.worker.constraint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A schema's text as a tree, and how to find one's way in it.
 *
 * <p>Threading: immutable.
 */
final class SchemaTree {
  /** Levels of the text; each level of a schema is about two of them. */
  private static final int MAX_NESTING = 200;

  private static final int MAX_NUMBER_LENGTH = 100;

  private static final ObjectMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_NESTING)
                          .maxNumberLength(MAX_NUMBER_LENGTH)
                          .build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                  .build())
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** Keywords that say nothing about what is valid. */
  private static final Set<String> ANNOTATIONS =
      Set.of(
          "$schema",
          "$comment",
          "$defs",
          "definitions",
          "title",
          "description",
          "default",
          "examples",
          "example",
          "deprecated",
          "readOnly",
          "writeOnly",
          "contentMediaType",
          "contentEncoding");

  private final JsonNode root;

  private SchemaTree(JsonNode root) {
    this.root = root;
  }

  /**
   * @throws ConstraintException if it is not JSON, or not a schema
   */
  static SchemaTree read(String text) {
    JsonNode root;
    try {
      root = JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new ConstraintException("not valid JSON: " + e.getOriginalMessage());
    }
    if (!root.isObject() && !root.isBoolean()) {
      throw new ConstraintException("not a schema (expected: an object, true or false)");
    }
    return new SchemaTree(root);
  }

  JsonNode root() {
    return root;
  }

  static boolean isAnnotation(String keyword) {
    return ANNOTATIONS.contains(keyword) || keyword.startsWith("x-");
  }

  /** Keywords of a schema that say what is valid. */
  static List<String> assertions(JsonNode schema) {
    List<String> keywords = new ArrayList<>();
    schema
        .fieldNames()
        .forEachRemaining(keyword -> {
          if (!isAnnotation(keyword) && !keyword.equals("$id")) {
            keywords.add(keyword);
          }
        });
    return keywords;
  }

  /**
   * What a reference refers to.
   *
   * @param reference such as {@code #/$defs/name}
   */
  JsonNode resolve(String reference) {
    if (!reference.equals("#") && !reference.startsWith("#/")) {
      throw new ConstraintException(
          "$ref: \"" + excerpt(reference) + "\" (expected: # or #/…, inside the schema)");
    }
    JsonNode target;
    try {
      target = root.at(JsonPointer.compile(unescaped(reference.substring(1))));
    } catch (IllegalArgumentException e) {
      throw new ConstraintException("$ref: \"" + excerpt(reference) + "\" is not a JSON pointer");
    }
    if (!target.isObject() && !target.isBoolean()) {
      throw new ConstraintException(
          "$ref: \"" + excerpt(reference) + "\" (expected: the place of a schema)");
    }
    return target;
  }

  /** Undoes percent signs, as in the fragment of a URI. */
  private static String unescaped(String fragment) {
    return fragment.indexOf('%') < 0
        ? fragment
        : URLDecoder.decode(fragment.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  /** So much of a text as a message can bear. */
  static String excerpt(String text) {
    return text.length() <= 64 ? text : text.substring(0, 64) + "…";
  }
}
