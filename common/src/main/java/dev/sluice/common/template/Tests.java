package dev.sluice.common.template;

import dev.sluice.common.template.Expression.ComparisonOperator;
import dev.sluice.common.template.Value.Bool;
import dev.sluice.common.template.Value.Function;
import dev.sluice.common.template.Value.Generator;
import dev.sluice.common.template.Value.Int;
import dev.sluice.common.template.Value.Items;
import dev.sluice.common.template.Value.Namespace;
import dev.sluice.common.template.Value.None;
import dev.sluice.common.template.Value.Range;
import dev.sluice.common.template.Value.Real;
import dev.sluice.common.template.Value.Text;
import dev.sluice.common.template.Value.Tuple;
import dev.sluice.common.template.Value.Undefined;
import dev.sluice.common.template.Value.View;
import java.util.Set;

/** What can stand after {@code is}. */
final class Tests {
  static final Set<String> NAMES =
      Set.of(
          "odd",
          "even",
          "divisibleby",
          "defined",
          "undefined",
          "filter",
          "test",
          "none",
          "boolean",
          "false",
          "true",
          "integer",
          "float",
          "lower",
          "upper",
          "string",
          "mapping",
          "number",
          "sequence",
          "iterable",
          "callable",
          "sameas",
          "escaped",
          "in",
          "==",
          "eq",
          "equalto",
          "!=",
          "ne",
          ">",
          "gt",
          "greaterthan",
          "ge",
          ">=",
          "<",
          "lt",
          "lessthan",
          "<=",
          "le");

  private final Comparing comparing;
  private final Rendering rendering;
  private final Arithmetic arithmetic;

  Tests(Budget budget) {
    this.arithmetic = new Arithmetic(budget);
    this.comparing = new Comparing(budget);
    this.rendering = new Rendering(budget);
  }

  boolean test(String name, Value value, Arguments arguments) {
    return switch (name) {
      case "defined" -> !(value instanceof Undefined);
      case "undefined" -> value instanceof Undefined;
      case "none" -> value == None.NONE;
      case "true" -> value == Bool.TRUE;
      case "false" -> value == Bool.FALSE;
      case "boolean" -> value instanceof Bool;
      case "integer" -> value instanceof Int;
      case "float" -> value instanceof Real;
      case "number" -> Comparing.isNumber(value);
      case "string" -> value instanceof Text;
      case "mapping" -> value instanceof Dict;
      case "iterable" -> Values.isIterable(value);
      case "sequence" -> isSequence(value);
      case "callable" ->
          value instanceof Function || value instanceof Undefined || value instanceof Loop;
      case "escaped" -> false;
      case "lower" -> Casing.isLower(rendering.str(value));
      case "upper" -> Casing.isUpper(rendering.str(value));
      case "filter" -> value instanceof Text text && Filters.NAMES.contains(text.value());
      case "test" -> value instanceof Text text && NAMES.contains(text.value());
      case "odd" -> remainder(value, 2) == 1;
      case "even" -> remainder(value, 2) == 0;
      case "divisibleby" -> remainder(value, arguments.bind(name, "num").integer(0)) == 0;
      case "sameas" -> isSame(value, arguments.bind(name, "other").get(0));
      case "==", "eq", "equalto" -> compare(ComparisonOperator.EQUAL, value, arguments);
      case "!=", "ne" -> compare(ComparisonOperator.NOT_EQUAL, value, arguments);
      case ">", "gt", "greaterthan" -> compare(ComparisonOperator.GREATER, value, arguments);
      case ">=", "ge" -> compare(ComparisonOperator.GREATER_OR_EQUAL, value, arguments);
      case "<", "lt", "lessthan" -> compare(ComparisonOperator.LESS, value, arguments);
      case "<=", "le" -> compare(ComparisonOperator.LESS_OR_EQUAL, value, arguments);
      case "in" -> compare(ComparisonOperator.IN, value, arguments);
      default -> throw new Failure("No test named '" + name + "'.");
    };
  }

  private boolean compare(ComparisonOperator operator, Value value, Arguments arguments) {
    return comparing.test(operator, value, arguments.bind(operator.symbol, "other").get(0));
  }

  private double remainder(Value value, long divisor) {
    Value remainder = arithmetic.apply(Expression.BinaryOperator.MODULO, value, new Int(divisor));
    return Comparing.isNumber(remainder) ? Arithmetic.real(remainder) : Double.NaN;
  }

  private static boolean isSequence(Value value) {
    return switch (value) {
      case Text _, Items _, Tuple _, Dict _, Range _, Undefined _ -> true;
      case None _, Bool _, Int _, Real _, View _, Generator _, Namespace _, Function _, Loop _ ->
          false;
    };
  }

  /** As {@code is}, with one object for equal numbers and strings. */
  @SuppressWarnings("ReferenceEquality")
  private static boolean isSame(Value left, Value right) {
    return switch (left) {
      case Int number -> number.equals(right);
      case Text text -> text.equals(right);
      default -> left == right;
    };
  }
}
