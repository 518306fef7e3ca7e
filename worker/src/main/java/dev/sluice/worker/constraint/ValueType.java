package dev.sluice.worker.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Types of JSON values, in the words of JSON Schema. */
enum ValueType {
  OBJECT("properties", "required", "additionalProperties", "minProperties", "maxProperties"),
  ARRAY("items", "minItems", "maxItems", "uniqueItems"),
  STRING("minLength", "maxLength", "pattern", "format"),
  NUMBER("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
  INTEGER(),
  BOOLEAN(),
  NULL();

  /** Keywords that speak of this type only. */
  @SuppressWarnings("ImmutableEnumChecker") // an immutable list
  private final List<String> assertions;

  ValueType(String... assertions) {
    this.assertions = List.of(assertions);
  }

  String keyword() {
    return name().toLowerCase(Locale.ROOT);
  }

  List<String> assertions() {
    return assertions;
  }

  /** All types, none of them twice: integers are numbers. */
  static Set<ValueType> all() {
    return EnumSet.complementOf(EnumSet.of(INTEGER));
  }

  /** The value of {@code type}. */
  static Set<ValueType> read(JsonNode type) {
    Set<ValueType> types = EnumSet.noneOf(ValueType.class);
    if (type.isTextual()) {
      types.add(ofKeyword(type.textValue()));
    } else if (type.isArray() && !type.isEmpty()) {
      type.forEach(t -> types.add(ofKeyword(t.asText())));
    } else {
      throw new ConstraintException("type: (expected: a name or an array of names)");
    }
    if (types.contains(NUMBER)) {
      types.remove(INTEGER);
    }
    return types;
  }

  private static ValueType ofKeyword(String keyword) {
    for (ValueType type : values()) {
      if (type.keyword().equals(keyword)) {
        return type;
      }
    }
    throw new ConstraintException(
        "type: \""
            + SchemaTree.excerpt(keyword)
            + "\" (expected: object, array, string, number, integer, boolean or null)");
  }

  /** The types that are in both. */
  static Set<ValueType> common(Set<ValueType> a, Set<ValueType> b) {
    Set<ValueType> common = EnumSet.noneOf(ValueType.class);
    for (ValueType type : a) {
      if (b.contains(type) || (type == INTEGER && b.contains(NUMBER))) {
        common.add(type);
      } else if (type == NUMBER && b.contains(INTEGER)) {
        common.add(INTEGER);
      }
    }
    return common;
  }

  /** The type of a value; of an integer, the narrower one. */
  static ValueType of(JsonNode value) {
    return switch (value.getNodeType()) {
      case OBJECT -> OBJECT;
      case ARRAY -> ARRAY;
      case STRING -> STRING;
      case NUMBER -> value.decimalValue().stripTrailingZeros().scale() <= 0 ? INTEGER : NUMBER;
      case BOOLEAN -> BOOLEAN;
      case NULL -> NULL;
      case BINARY, MISSING, POJO -> throw new IllegalStateException("not a value of a JSON text");
    };
  }
}
