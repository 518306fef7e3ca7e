package dev.sluice.common.template;

import dev.sluice.common.template.Value.Bool;
import dev.sluice.common.template.Value.Int;
import dev.sluice.common.template.Value.None;
import dev.sluice.common.template.Value.Text;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a function, filter or test was called with. */
record Arguments(List<Value> positional, Map<String, Value> named) {
  static final Arguments NONE = new Arguments(List.of(), Map.of());

  static Arguments of(Value... positional) {
    return new Arguments(List.of(positional), Map.of());
  }

  int count() {
    return positional.size();
  }

  /** Without the first {@code count} positional ones. */
  Arguments from(int count) {
    return new Arguments(
        positional.subList(Math.min(count, positional.size()), positional.size()), named);
  }

  /** Gives the arguments names; fails if there are more, or others, than these. */
  Bound bind(String function, String... names) {
    if (positional.size() > names.length) {
      throw new Failure(
          "%s() got %d arguments (expected: at most %d)"
              .formatted(function, positional.size(), names.length));
    }
    for (String name : named.keySet()) {
      int index = List.of(names).indexOf(name);
      if (index < 0) {
        throw new Failure(function + "() got an unexpected keyword argument '" + name + "'");
      }
      if (index < positional.size()) {
        throw new Failure(function + "() got multiple values for argument '" + name + "'");
      }
    }
    return new Bound(function, List.of(names), this);
  }

  /** Arguments by the places of their names. */
  record Bound(String function, List<String> names, Arguments arguments) {
    /** Empty if it was not given. */
    Optional<Value> find(int index) {
      return index < arguments.count()
          ? Optional.of(arguments.positional.get(index))
          : Optional.ofNullable(arguments.named.get(names.get(index)));
    }

    Value get(int index) {
      return find(index)
          .orElseThrow(() ->
              new Failure(function + "() missing required argument '" + names.get(index) + "'"));
    }

    Value get(int index, Value standard) {
      return find(index).orElse(standard);
    }

    /** Empty if it was not given, or is {@code None}. */
    Optional<Value> notNone(int index) {
      return find(index).filter(value -> value != None.NONE);
    }

    String text(int index) {
      return text(index, get(index));
    }

    String text(int index, String standard) {
      return find(index).map(value -> text(index, value)).orElse(standard);
    }

    /** {@code None} counts as not given. */
    Optional<String> optionalText(int index) {
      return notNone(index).map(value -> text(index, value));
    }

    long integer(int index) {
      return integer(index, get(index));
    }

    /** {@code None} counts as not given. */
    long integer(int index, long standard) {
      return notNone(index).map(value -> integer(index, value)).orElse(standard);
    }

    boolean flag(int index, boolean standard) {
      return find(index).map(Values::isTrue).orElse(standard);
    }

    private String text(int index, Value value) {
      if (value instanceof Text text) {
        return text.value();
      }
      throw wrong(index, "str", value);
    }

    private long integer(int index, Value value) {
      return switch (value) {
        case Int number -> number.value();
        case Bool bool -> bool.number;
        default -> throw wrong(index, "int", value);
      };
    }

    private Failure wrong(int index, String expected, Value value) {
      return new Failure(
          "%s() argument '%s': %s (expected: %s)"
              .formatted(function, names.get(index), value.type(), expected));
    }
  }
}
