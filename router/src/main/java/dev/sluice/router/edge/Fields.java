package dev.sluice.router.edge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Reads a JSON object field by field and collects all that is wrong with it. A field that is null
 * is absent, and one of the wrong type is told and then absent.
 *
 * <p>Threading: one thread.
 */
public final class Fields {
  private static final int MOST_SHOWN = 40;

  private final ObjectNode object;
  private final String path; // "" or "stream_options."
  private final List<Refusal.Violation> violations;

  public Fields(ObjectNode object) {
    this(object, "", new ArrayList<>());
  }

  private Fields(ObjectNode object, String path, List<Refusal.Violation> violations) {
    this.object = object;
    this.path = path;
    this.violations = violations;
  }

  /** The field, if it is there and not null. */
  public Optional<JsonNode> get(String name) {
    JsonNode node = object.get(name);
    return node == null || node.isNull() ? Optional.empty() : Optional.of(node);
  }

  /** Whether the field says something: not absent, null, false, or an empty list or object. */
  public boolean isSet(String name) {
    return get(name)
        .filter(n -> !(n.isContainerNode() && n.isEmpty()) && !(n.isBoolean() && !n.asBoolean()))
        .isPresent();
  }

  public Optional<String> text(String name) {
    return typed(name, "a string", JsonNode::isTextual).map(JsonNode::textValue);
  }

  public boolean flag(String name, boolean absent) {
    return typed(name, "true or false", JsonNode::isBoolean)
        .map(JsonNode::booleanValue)
        .orElse(absent);
  }

  public OptionalDouble number(String name) {
    Optional<JsonNode> node = typed(name, "a number", JsonNode::isNumber);
    return node.isPresent() ? OptionalDouble.of(node.get().doubleValue()) : OptionalDouble.empty();
  }

  /** A whole number of 64 bits. */
  public OptionalLong integer(String name) {
    Optional<JsonNode> node = typed(name, "a whole number of 64 bits", Fields::isWhole);
    return node.isPresent() ? OptionalLong.of(node.get().longValue()) : OptionalLong.empty();
  }

  /** A whole number from {@code min} to {@code max}. */
  public OptionalInt integer(String name, int min, int max) {
    Optional<JsonNode> node =
        typed(
            name,
            "a whole number from " + min + " to " + max,
            n -> isWhole(n) && n.longValue() >= min && n.longValue() <= max);
    return node.isPresent() ? OptionalInt.of(node.get().intValue()) : OptionalInt.empty();
  }

  /** A string, or a list of strings. */
  public List<String> texts(String name) {
    Optional<JsonNode> node =
        typed(
            name,
            "a string or a list of strings",
            n -> n.isTextual() || (n.isArray() && all(n, JsonNode::isTextual)));
    if (node.isEmpty()) {
      return List.of();
    }
    if (node.get().isTextual()) {
      return List.of(node.get().textValue());
    }
    List<String> texts = new ArrayList<>();
    node.get().forEach(n -> texts.add(n.textValue()));
    return texts;
  }

  /** Token ids. */
  public List<Integer> tokens(String name) {
    return typed(name, "a list of token ids", Fields::areTokens)
        .map(Fields::tokens)
        .orElse(List.of());
  }

  /** A JSON object within this one; what is wrong with it is told here. */
  public Optional<Fields> object(String name) {
    return typed(name, "an object", JsonNode::isObject)
        .map(n -> new Fields((ObjectNode) n, path + name + ".", violations));
  }

  /** A list of JSON objects. */
  public List<Fields> objects(String name) {
    List<Fields> objects = new ArrayList<>();
    typed(name, "a list of objects", n -> n.isArray() && all(n, JsonNode::isObject))
        .ifPresent(list -> {
          for (int i = 0; i < list.size(); i++) {
            objects.add(
                new Fields((ObjectNode) list.get(i), path + name + "[" + i + "].", violations));
          }
        });
    return objects;
  }

  /** The JSON object itself. */
  public ObjectNode json() {
    return object;
  }

  /** A violation: the value as it is in the request, and what was expected. */
  public void refuse(String name, String expected) {
    JsonNode value = object.get(name);
    add(name, (value == null ? "missing" : show(value)) + " (expected: " + expected + ")");
  }

  /** A violation in other words. */
  public void add(String name, String description) {
    violations.add(new Refusal.Violation(path + name, description));
  }

  /** Refuses the request if anything was wrong. */
  public void throwIfAny() {
    if (!violations.isEmpty()) {
      throw new RefusalException(new Refusal.Invalid(violations));
    }
  }

  /** Whether it is a list of whole numbers from 0. */
  public static boolean areTokens(JsonNode node) {
    return node.isArray()
        && all(node, n -> isWhole(n) && n.longValue() >= 0 && n.longValue() <= Integer.MAX_VALUE);
  }

  /** The ids of what {@link #areTokens}. */
  public static List<Integer> tokens(JsonNode node) {
    List<Integer> ids = new ArrayList<>(node.size());
    node.forEach(n -> ids.add(n.intValue()));
    return ids;
  }

  private Optional<JsonNode> typed(String name, String expected, Is is) {
    Optional<JsonNode> node = get(name);
    if (node.isPresent() && !is.so(node.get())) {
      refuse(name, expected);
      return Optional.empty();
    }
    return node;
  }

  private interface Is {
    boolean so(JsonNode node);
  }

  private static boolean all(JsonNode list, Is is) {
    for (JsonNode node : list) {
      if (!is.so(node)) {
        return false;
      }
    }
    return true;
  }

  private static boolean isWhole(JsonNode node) {
    return node.canConvertToExactIntegral() && node.canConvertToLong();
  }

  /** Numbers and the like as they are; of texts only the kind, since they may be private. */
  private static String show(JsonNode value) {
    return switch (value.getNodeType()) {
      case NUMBER, BOOLEAN -> {
        String text = value.toString();
        yield text.length() <= MOST_SHOWN ? text : text.substring(0, MOST_SHOWN) + "…";
      }
      case STRING -> "a string";
      case ARRAY -> "a list";
      case OBJECT, POJO -> "an object";
      case NULL, MISSING -> "null";
      case BINARY -> "bytes";
    };
  }
}
