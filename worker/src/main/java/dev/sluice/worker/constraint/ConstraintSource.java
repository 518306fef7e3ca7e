package dev.sluice.worker.constraint;

import java.util.List;

/** What a caller asks the output to conform to. Equal for equal content. */
public sealed interface ConstraintSource {
  /** Name of the request's field, for messages. */
  String field();

  /** Size of what the caller sent, in characters. */
  int length();

  /** The output is a JSON text that this schema accepts. */
  record JsonSchema(String schema) implements ConstraintSource {
    @Override
    public String field() {
      return "constraint.json_schema";
    }

    @Override
    public int length() {
      return schema.length();
    }
  }

  /** The whole output matches this regular expression. */
  record Regex(String pattern) implements ConstraintSource {
    @Override
    public String field() {
      return "constraint.regex";
    }

    @Override
    public int length() {
      return pattern.length();
    }
  }

  /** The output is one of these strings. */
  record Choices(List<String> values) implements ConstraintSource {
    public Choices {
      values = List.copyOf(values);
    }

    @Override
    public String field() {
      return "constraint.choices";
    }

    @Override
    public int length() {
      return values.stream().mapToInt(String::length).sum();
    }
  }
}
