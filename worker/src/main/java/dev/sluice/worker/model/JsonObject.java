package dev.sluice.worker.model;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.file.Path;
import java.util.function.Predicate;

/**
 * A JSON object in a model's folder. A value of null is one that is not there. Every getter throws
 * {@link ModelFileException}, which names file and key, if there is no such key or its value is of
 * another kind than asked for.
 *
 * <p>Threading: immutable.
 */
final class JsonObject {
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final Path file;

  /** Keys that lead here, each followed by a dot. */
  private final String prefix;

  private final JsonNode object;

  private JsonObject(Path file, String prefix, JsonNode object) {
    this.file = file;
    this.prefix = prefix;
    this.object = object;
  }

  /**
   * Reads a file that must be one JSON object.
   *
   * @param mostBytes bounds what is read; in memory it is some 30 times as large at worst
   */
  static JsonObject read(Path file, int mostBytes) {
    String content = SmallFile.text(file, mostBytes);
    try {
      return new JsonObject(file, "", JSON.readTree(content)).checked();
    } catch (JsonProcessingException e) {
      throw new ModelFileException(
          "%s: is not valid JSON: %s (expected: an object)".formatted(file, e.getOriginalMessage()),
          e);
    }
  }

  /** An object without keys, for a file that need not be there. */
  static JsonObject empty(Path file) {
    return new JsonObject(file, "", JSON.createObjectNode());
  }

  private JsonObject checked() {
    if (!object.isObject()) {
      throw new ModelFileException("%s: %s (expected: an object)".formatted(file, shown(object)));
    }
    return this;
  }

  boolean has(String key) {
    return !object.path(key).isMissingNode() && !object.path(key).isNull();
  }

  String text(String key) {
    return value(key, "a text", JsonNode::isTextual).textValue();
  }

  String text(String key, String otherwise) {
    return has(key) ? text(key) : otherwise;
  }

  boolean flag(String key, boolean otherwise) {
    return has(key) ? value(key, "true or false", JsonNode::isBoolean).booleanValue() : otherwise;
  }

  /** A whole number from {@code least} to {@code most}. */
  int whole(String key, int least, int most) {
    return value(
            key,
            "a whole number from " + least + " to " + most,
            node -> node.canConvertToInt() && node.isIntegralNumber() && in(node, least, most))
        .intValue();
  }

  int whole(String key, int least, int most, int otherwise) {
    return has(key) ? whole(key, least, most) : otherwise;
  }

  private static boolean in(JsonNode node, int least, int most) {
    return node.intValue() >= least && node.intValue() <= most;
  }

  /** A finite number above zero. */
  double positive(String key) {
    return value(
            key,
            "a number above 0",
            node ->
                node.isNumber()
                    && node.doubleValue() > 0
                    && node.doubleValue() < Double.POSITIVE_INFINITY)
        .doubleValue();
  }

  double positive(String key, double otherwise) {
    return has(key) ? positive(key) : otherwise;
  }

  JsonObject object(String key) {
    return new JsonObject(file, prefix + key + ".", value(key, "an object", JsonNode::isObject));
  }

  /** A value of any kind; {@link #unexpected} refuses it. */
  JsonNode any(String key) {
    return object.path(key);
  }

  /** What to throw for a value that is none of those expected. */
  ModelFileException unexpected(String key, String expected) {
    String found = has(key) ? shown(object.path(key)) : "missing";
    return new ModelFileException(
        "%s: %s%s: %s (expected: %s)".formatted(file, prefix, key, found, expected));
  }

  Path file() {
    return file;
  }

  private JsonNode value(String key, String expected, Predicate<JsonNode> fits) {
    JsonNode value = object.path(key);
    if (!fits.test(value)) {
      throw unexpected(key, expected);
    }
    return value;
  }

  private static String shown(JsonNode value) {
    if (value.isObject()) {
      return "an object";
    }
    if (value.isArray()) {
      return "a list of " + value.size();
    }
    String text = value.isTextual() ? "'" + value.textValue() + "'" : value.asText("nothing");
    return Excerpt.of(text);
  }
}
