package dev.sluice.worker.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/** Proves, where it is simple, that no value is accepted by two schemas. */
final class Disjointness {
  private static final int MAX_DEPTH = 8;

  private final SchemaTree tree;
  private final Budget budget;

  Disjointness(SchemaTree tree, Budget budget) {
    this.tree = tree;
    this.budget = budget;
  }

  /** False if it is not known. */
  boolean areDisjoint(JsonNode a, JsonNode b) {
    return areDisjoint(a, b, 0);
  }

  private boolean areDisjoint(JsonNode first, JsonNode second, int depth) {
    budget.work(1);
    if (depth > MAX_DEPTH) {
      return false;
    }
    JsonNode a = resolved(first);
    JsonNode b = resolved(second);
    Set<ValueType> common = ValueType.common(types(a), types(b));
    if (common.isEmpty()) {
      return true;
    }
    Optional<Set<JsonNode>> valuesOfA = values(a);
    Optional<Set<JsonNode>> valuesOfB = values(b);
    if (valuesOfA.isPresent() && valuesOfB.isPresent()) {
      Set<JsonNode> both = new HashSet<>(valuesOfA.get());
      both.retainAll(valuesOfB.get());
      return both.isEmpty();
    }
    return common.equals(Set.of(ValueType.OBJECT))
        && (tellApart(a, b, depth) || excludes(a, b) || excludes(b, a));
  }

  /** Whether a property that both need has different values. */
  private boolean tellApart(JsonNode a, JsonNode b, int depth) {
    Set<String> shared = required(a);
    shared.retainAll(required(b));
    for (String name : shared) {
      JsonNode ofA = a.path("properties").path(name);
      JsonNode ofB = b.path("properties").path(name);
      if (ofA.isObject() && ofB.isObject() && areDisjoint(ofA, ofB, depth + 1)) {
        return true;
      }
    }
    return false;
  }

  /** Whether one needs a property that the other forbids. */
  private static boolean excludes(JsonNode a, JsonNode b) {
    JsonNode additional = b.path("additionalProperties");
    if (!additional.isBoolean() || additional.booleanValue()) {
      return false;
    }
    return required(a).stream().anyMatch(name -> !b.path("properties").has(name));
  }

  private static Set<String> required(JsonNode schema) {
    Set<String> names = new LinkedHashSet<>();
    schema.path("required").forEach(name -> names.add(name.asText()));
    return names;
  }

  /** What it allows at most; what stands beside a reference only takes away from it. */
  private JsonNode resolved(JsonNode schema) {
    JsonNode target = schema;
    for (int i = 0; i < MAX_DEPTH && target.path("$ref").isTextual(); i++) {
      target = tree.resolve(target.path("$ref").textValue());
    }
    return target;
  }

  private static Set<ValueType> types(JsonNode schema) {
    Optional<Set<JsonNode>> values = values(schema);
    if (values.isPresent()) {
      Set<ValueType> types = new HashSet<>();
      values.get().forEach(value -> types.add(ValueType.of(value)));
      return types;
    }
    return schema.has("type") ? ValueType.read(schema.get("type")) : ValueType.all();
  }

  private static Optional<Set<JsonNode>> values(JsonNode schema) {
    Set<JsonNode> values = new HashSet<>();
    if (schema.has("const")) {
      values.add(schema.get("const"));
    } else if (schema.path("enum").isArray()) {
      schema.path("enum").forEach(values::add);
    } else {
      return Optional.empty();
    }
    return Optional.of(values);
  }
}
