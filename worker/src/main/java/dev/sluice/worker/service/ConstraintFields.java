package dev.sluice.worker.service;

import dev.sluice.v1.Choices;
import dev.sluice.v1.Constraint;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.worker.constraint.ConstraintSource;
import java.util.HashSet;
import java.util.Optional;

/** The field {@code constraint} of a request. */
final class ConstraintFields {
  private static final int MAX_CHOICES = 1000;

  private ConstraintFields() {}

  static void check(GenerateRequest request, Violations violations) {
    if (!request.hasConstraint()) {
      return;
    }
    violations.check(
        !request.hasBeam(), "constraint", "set beside beam (expected: one of the two)");
    switch (request.getConstraint().getKindCase()) {
      case JSON_SCHEMA, REGEX -> {}
      case CHOICES -> check(request.getConstraint().getChoices(), violations);
      case KIND_NOT_SET ->
          violations.add("constraint", "no kind (expected: json_schema, regex or choices)");
    }
  }

  private static void check(Choices choices, Violations violations) {
    int count = choices.getValuesCount();
    violations.check(
        count >= 1 && count <= MAX_CHOICES,
        "constraint.choices.values",
        count + " strings (expected: 1 to " + MAX_CHOICES + ")");
    violations.check(
        new HashSet<>(choices.getValuesList()).size() == count,
        "constraint.choices.values",
        "some strings are equal (expected: different ones)");
    violations.check(
        !choices.getValuesList().contains(""),
        "constraint.choices.values[" + choices.getValuesList().indexOf("") + "]",
        "empty (expected: at least 1 character)");
  }

  /** What a request that was checked asks for. */
  static Optional<ConstraintSource> source(GenerateRequest request) {
    Constraint constraint = request.getConstraint();
    return switch (constraint.getKindCase()) {
      case JSON_SCHEMA -> Optional.of(new ConstraintSource.JsonSchema(constraint.getJsonSchema()));
      case REGEX -> Optional.of(new ConstraintSource.Regex(constraint.getRegex()));
      case CHOICES ->
          Optional.of(new ConstraintSource.Choices(constraint.getChoices().getValuesList()));
      case KIND_NOT_SET -> Optional.empty();
    };
  }
}
