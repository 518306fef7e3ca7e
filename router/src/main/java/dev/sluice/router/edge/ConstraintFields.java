package dev.sluice.router.edge;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.v1.Choices;
import dev.sluice.v1.Constraint;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The fields that say what the output must conform to: OpenAI's {@code response_format}, vLLM's
 * {@code structured_outputs} and the older {@code guided_…}.
 */
final class ConstraintFields {
  private static final String ANY_OBJECT = "{\"type\":\"object\"}";
  private static final String ABSENT = "absent: it is not supported";

  private ConstraintFields() {}

  static Optional<Constraint> read(Fields fields) {
    List<Constraint> found = new ArrayList<>();
    fields.object("response_format").flatMap(ConstraintFields::format).ifPresent(found::add);
    fields.object("structured_outputs").ifPresent(o -> options(o, "", found));
    options(fields, "guided_", found);
    if (found.size() > 1) {
      fields.add(
          "response_format",
          found.size() + " constraints in all fields together (expected: at most 1)");
    }
    return found.stream().findFirst();
  }

  private static Optional<Constraint> format(Fields format) {
    return switch (format.text("type").orElse("")) {
      case "text" -> Optional.empty();
      case "json_object" -> Optional.of(schema(ANY_OBJECT));
      case "json_schema" -> {
        Optional<JsonNode> schema =
            format.object("json_schema").flatMap(named -> named.get("schema"));
        if (schema.isEmpty()) {
          format.add("json_schema.schema", "missing (expected: a JSON Schema)");
        }
        yield schema.map(s -> schema(s.toString()));
      }
      default -> {
        format.refuse("type", "text, json_object or json_schema");
        yield Optional.empty();
      }
    };
  }

  private static void options(Fields fields, String prefix, List<Constraint> found) {
    // vLLM takes a schema as an object or as its text
    fields
        .get(prefix + "json")
        .ifPresent(s -> found.add(schema(s.isTextual() ? s.textValue() : s.toString())));
    fields
        .text(prefix + "regex")
        .ifPresent(regex -> found.add(Constraint.newBuilder().setRegex(regex).build()));
    if (fields.isSet(prefix + "choice")) {
      found.add(
          Constraint.newBuilder()
              .setChoices(Choices.newBuilder().addAllValues(fields.texts(prefix + "choice")))
              .build());
    }
    if (fields.flag(prefix + "json_object", false)) {
      found.add(schema(ANY_OBJECT));
    }
    for (String unknown : List.of("grammar", "structural_tag")) {
      if (fields.isSet(prefix + unknown)) {
        fields.refuse(prefix + unknown, ABSENT);
      }
    }
  }

  private static Constraint schema(String schema) {
    return Constraint.newBuilder().setJsonSchema(schema).build();
  }
}
