package dev.sluice.worker.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/** Reads the values of a schema's keywords, and says what is wrong with them. */
final class Keywords {
  private Keywords() {}

  /** A number of characters, items or properties. */
  static int count(JsonNode schema, String keyword, int absent) {
    JsonNode value = schema.path(keyword);
    if (value.isMissingNode()) {
      return absent;
    }
    if (!value.isNumber()
        || value.decimalValue().signum() < 0
        || value.decimalValue().stripTrailingZeros().scale() > 0) {
      throw new ConstraintException(
          keyword + ": " + shown(value) + " (expected: an integer from 0 on)");
    }
    return value.decimalValue().min(BigDecimal.valueOf(Integer.MAX_VALUE)).intValueExact();
  }

  static boolean flag(JsonNode schema, String keyword) {
    JsonNode value = schema.path(keyword);
    if (!value.isMissingNode() && !value.isBoolean()) {
      throw new ConstraintException(keyword + ": " + shown(value) + " (expected: true or false)");
    }
    return value.booleanValue();
  }

  static Optional<String> text(JsonNode schema, String keyword) {
    JsonNode value = schema.path(keyword);
    if (!value.isMissingNode() && !value.isTextual()) {
      throw new ConstraintException(keyword + ": " + shown(value) + " (expected: a string)");
    }
    return Optional.ofNullable(value.textValue());
  }

  static Optional<BigDecimal> number(JsonNode schema, String keyword) {
    JsonNode value = schema.path(keyword);
    if (!value.isMissingNode() && !value.isNumber()) {
      throw new ConstraintException(keyword + ": " + shown(value) + " (expected: a number)");
    }
    return value.isMissingNode() ? Optional.empty() : Optional.of(value.decimalValue());
  }

  /** The names of an array of strings. */
  static Set<String> names(JsonNode schema, String keyword) {
    Set<String> names = new LinkedHashSet<>();
    JsonNode value = schema.path(keyword);
    if (!value.isMissingNode() && !value.isArray()) {
      throw new ConstraintException(keyword + ": (expected: an array of strings)");
    }
    for (JsonNode name : value) {
      if (!name.isTextual()) {
        throw new ConstraintException(keyword + ": (expected: an array of strings)");
      }
      names.add(name.textValue());
    }
    return names;
  }

  /** The tighter of two bounds. */
  static Optional<Numbers.Bound> bound(
      JsonNode schema, String inclusive, String exclusive, boolean isLower) {
    Optional<BigDecimal> loose = number(schema, inclusive);
    Optional<BigDecimal> strict = number(schema, exclusive);
    if (strict.isEmpty() || loose.isEmpty()) {
      return strict
          .map(value -> new Numbers.Bound(value, true))
          .or(() -> loose.map(value -> new Numbers.Bound(value, false)));
    }
    int compared = strict.get().compareTo(loose.get());
    boolean strictCounts = isLower ? compared >= 0 : compared <= 0;
    return Optional.of(
        strictCounts
            ? new Numbers.Bound(strict.get(), true)
            : new Numbers.Bound(loose.get(), false));
  }

  static void checkOrder(String low, int min, String high, int max) {
    if (min > max) {
      throw new ConstraintException(
          low + ": " + min + " (expected: at most " + high + ", " + max + ")");
    }
  }

  private static String shown(JsonNode value) {
    return SchemaTree.excerpt(value.toString());
  }
}
