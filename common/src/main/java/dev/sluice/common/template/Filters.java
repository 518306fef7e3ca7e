package dev.sluice.common.template;

import dev.sluice.common.template.Arguments.Bound;
import dev.sluice.common.template.Value.Items;
import dev.sluice.common.template.Value.Text;
import dev.sluice.common.template.Value.Undefined;
import java.util.Set;

/** What can stand after {@code |}. */
final class Filters {
  static final Set<String> NAMES =
      Set.of(
          "abs",
          "attr",
          "batch",
          "capitalize",
          "center",
          "count",
          "d",
          "default",
          "dictsort",
          "e",
          "escape",
          "first",
          "float",
          "forceescape",
          "format",
          "groupby",
          "indent",
          "int",
          "items",
          "join",
          "last",
          "length",
          "list",
          "lower",
          "map",
          "max",
          "min",
          "reject",
          "rejectattr",
          "replace",
          "reverse",
          "round",
          "safe",
          "select",
          "selectattr",
          "slice",
          "sort",
          "string",
          "sum",
          "title",
          "tojson",
          "trim",
          "truncate",
          "unique",
          "upper",
          "urlencode",
          "wordcount");

  private final Budget budget;
  private final Access access;
  private final NumberFilters numbers;
  private final TextFilters texts;
  private final SequenceFilters sequences;

  Filters(Budget budget) {
    this.budget = budget;
    this.access = new Access(budget);
    this.numbers = new NumberFilters(budget);
    this.texts = new TextFilters(budget);
    this.sequences = new SequenceFilters(budget, this);
  }

  Value apply(String name, Value value, Arguments arguments) {
    return switch (name) {
      case "default", "d" -> {
        Bound bound = arguments.bind(name, "default_value", "boolean");
        boolean replaced =
            value instanceof Undefined || (bound.flag(1, false) && !Values.isTrue(value));
        yield replaced ? bound.get(0, new Text("")) : value;
      }
      case "length", "count" -> {
        arguments.bind(name);
        yield new Value.Int(Values.length(value));
      }
      case "list" -> {
        arguments.bind(name);
        yield new Items(Values.toList(value, budget));
      }
      case "tojson" -> Json.filter(value, arguments, budget);
      case "attr" -> access.attribute(value, arguments.bind(name, "name").text(0));
      case "abs", "int", "float", "round" -> numbers.apply(name, value, arguments);
      case "capitalize",
          "center",
          "e",
          "escape",
          "forceescape",
          "format",
          "indent",
          "lower",
          "replace",
          "safe",
          "string",
          "title",
          "trim",
          "truncate",
          "upper",
          "urlencode",
          "wordcount" ->
          texts.apply(name, value, arguments);
      default -> sequences.apply(name, value, arguments);
    };
  }
}
