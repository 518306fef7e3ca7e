package dev.sluice.worker.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * One schema that accepts what both of two accept, where that is simple: bounds become tighter,
 * properties come together.
 */
final class SchemaMerge {
  private static final Set<String> LOWER =
      Set.of("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties");
  private static final Set<String> UPPER =
      Set.of("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties");

  private final Budget budget;

  SchemaMerge(Budget budget) {
    this.budget = budget;
  }

  /**
   * @throws ConstraintException if it is not simple
   */
  JsonNode merge(JsonNode a, JsonNode b) {
    if (a.isBoolean()) {
      return a.booleanValue() ? b : a;
    }
    if (b.isBoolean()) {
      return b.booleanValue() ? a : b;
    }
    checkClosed(a, b);
    ObjectNode merged = JsonNodeFactory.instance.objectNode();
    budget.work(1 + a.size() + b.size());
    for (Map.Entry<String, JsonNode> entry : a.properties()) {
      if (!SchemaTree.isAnnotation(entry.getKey())) {
        merged.set(entry.getKey(), entry.getValue());
      }
    }
    for (Map.Entry<String, JsonNode> entry : b.properties()) {
      String keyword = entry.getKey();
      if (!SchemaTree.isAnnotation(keyword)) {
        JsonNode before = merged.get(keyword);
        JsonNode value = entry.getValue();
        merged.set(
            keyword, before == null || before.equals(value) ? value : both(keyword, before, value));
      }
    }
    return merged;
  }

  private JsonNode both(String keyword, JsonNode a, JsonNode b) {
    if (LOWER.contains(keyword) && a.isNumber() && b.isNumber()) {
      return number(a).compareTo(number(b)) >= 0 ? a : b;
    }
    if (UPPER.contains(keyword) && a.isNumber() && b.isNumber()) {
      return number(a).compareTo(number(b)) <= 0 ? a : b;
    }
    return switch (keyword) {
      case "type" -> types(a, b);
      case "required" -> union(a, b);
      case "properties" -> properties(a, b);
      case "items" -> allOf(a, b);
      case "allOf" -> union(a, b);
      case "enum" -> common(a, b);
      default ->
          throw new ConstraintException(
              keyword + ": given twice by schemas that hold together, which is not supported");
    };
  }

  /** A schema that closes its properties says something about those of the other one. */
  private static void checkClosed(JsonNode a, JsonNode b) {
    if ((closes(a) && addsTo(b, a)) || (closes(b) && addsTo(a, b))) {
      throw new ConstraintException(
          "additionalProperties: in one of several schemas that hold together and name different"
              + " properties, which is not supported");
    }
  }

  private static boolean closes(JsonNode schema) {
    JsonNode additional = schema.path("additionalProperties");
    return !additional.isMissingNode()
        && !additional.equals(JsonNodeFactory.instance.booleanNode(true));
  }

  private static boolean addsTo(JsonNode schema, JsonNode closed) {
    for (Map.Entry<String, JsonNode> property : schema.path("properties").properties()) {
      if (!closed.path("properties").has(property.getKey())) {
        return true;
      }
    }
    return false;
  }

  private JsonNode properties(JsonNode a, JsonNode b) {
    ObjectNode merged = JsonNodeFactory.instance.objectNode();
    budget.work(a.size() + b.size());
    a.properties().forEach(entry -> merged.set(entry.getKey(), entry.getValue()));
    for (Map.Entry<String, JsonNode> entry : b.properties()) {
      JsonNode before = merged.get(entry.getKey());
      merged.set(
          entry.getKey(),
          before == null || before.equals(entry.getValue())
              ? entry.getValue()
              : allOf(before, entry.getValue()));
    }
    return merged;
  }

  /** A schema of both; a reference is followed when it is compiled. */
  private JsonNode allOf(JsonNode a, JsonNode b) {
    if (!a.has("$ref") && !b.has("$ref")) {
      return merge(a, b);
    }
    ObjectNode both = JsonNodeFactory.instance.objectNode();
    both.putArray("allOf").add(a).add(b);
    return both;
  }

  private JsonNode union(JsonNode a, JsonNode b) {
    Set<JsonNode> items = new LinkedHashSet<>();
    budget.work(a.size() + b.size());
    a.forEach(items::add);
    b.forEach(items::add);
    ArrayNode union = JsonNodeFactory.instance.arrayNode();
    items.forEach(union::add);
    return union;
  }

  private JsonNode common(JsonNode a, JsonNode b) {
    Set<JsonNode> items = new LinkedHashSet<>();
    budget.work(a.size() + b.size());
    b.forEach(items::add);
    ArrayNode common = JsonNodeFactory.instance.arrayNode();
    a.forEach(item -> {
      if (items.contains(item)) {
        common.add(item);
      }
    });
    return common;
  }

  private static JsonNode types(JsonNode a, JsonNode b) {
    ArrayNode common = JsonNodeFactory.instance.arrayNode();
    for (ValueType type : ValueType.common(ValueType.read(a), ValueType.read(b))) {
      common.add(type.keyword());
    }
    return common;
  }

  private static BigDecimal number(JsonNode node) {
    return node.decimalValue();
  }
}
