package dev.sluice.common.template;

import dev.sluice.common.template.Expression.CallArguments;
import dev.sluice.common.template.Expression.FilterCall;
import dev.sluice.common.template.Expression.Keyword;
import dev.sluice.common.template.Expression.Operand;
import dev.sluice.common.template.Expression.Pair;
import dev.sluice.common.template.Value.Bool;
import dev.sluice.common.template.Value.Function;
import dev.sluice.common.template.Value.Items;
import dev.sluice.common.template.Value.None;
import dev.sluice.common.template.Value.Text;
import dev.sluice.common.template.Value.Tuple;
import dev.sluice.common.template.Value.Undefined;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Gives expressions their values.
 *
 * <p>Threading: belongs to one rendering.
 */
final class Evaluator {
  private final Budget budget;
  private final Access access;
  private final Arithmetic arithmetic;
  private final Comparing comparing;
  private final Filters filters;
  private final Rendering rendering;
  private final Tests tests;
  private int line = 1;

  Evaluator(Budget budget) {
    this.budget = budget;
    this.access = new Access(budget);
    this.arithmetic = new Arithmetic(budget);
    this.comparing = new Comparing(budget);
    this.filters = new Filters(budget);
    this.rendering = new Rendering(budget);
    this.tests = new Tests(budget);
  }

  /** Where in the template it is, for errors. */
  int line() {
    return line;
  }

  void at(int newLine) {
    line = newLine;
  }

  /** Small, and so are those that it calls: their frames are most of what nesting costs. */
  Value evaluate(Expression expression, Scope scope) {
    budget.enter();
    Value value =
        switch (expression) {
          case Expression.Literal literal -> literal.value();
          case Expression.Name name -> scope.get(name.name());
          case Expression.ListOf list -> new Items(evaluateAll(list.items(), scope));
          case Expression.TupleOf tuple -> new Tuple(evaluateAll(tuple.items(), scope));
          case Expression.DictOf dict -> dict(dict.pairs(), scope);
          case Expression.Attribute attribute -> attribute(attribute, scope);
          case Expression.Subscript subscript -> subscript(subscript, scope);
          case Expression.Slice slice -> slice(slice, scope);
          case Expression.Call call -> call(call, scope, Optional.empty());
          case Expression.Filter filter ->
              filter(filter.filter(), evaluate(filter.target(), scope), scope);
          case Expression.Test test -> Bool.of(test(test, scope));
          case Expression.Not not -> Bool.of(!isTrue(not.operand(), scope));
          case Expression.And and -> and(and, scope);
          case Expression.Or or -> or(or, scope);
          case Expression.Conditional conditional -> conditional(conditional, scope);
          case Expression.Sign sign -> sign(sign, scope);
          case Expression.Binary binary -> binary(binary, scope);
          case Expression.Concatenation concatenation -> concatenate(concatenation, scope);
          case Expression.Comparison comparison -> Bool.of(compare(comparison, scope));
        };
    budget.leave();
    return value;
  }

  boolean isTrue(Expression expression, Scope scope) {
    return Values.isTrue(evaluate(expression, scope));
  }

  Value filter(FilterCall filter, Value value, Scope scope) {
    Arguments arguments = arguments(filter.arguments(), scope);
    line = filter.line();
    return filters.apply(filter.name(), value, arguments);
  }

  /**
   * The result of a call.
   *
   * @param caller what a call block gives to the macro that it calls
   */
  Value call(Expression.Call call, Scope scope, Optional<Value> caller) {
    Value function = evaluate(call.function(), scope);
    Arguments arguments = arguments(call.arguments(), scope);
    if (caller.isPresent()) {
      Map<String, Value> named = new LinkedHashMap<>(arguments.named());
      named.put("caller", caller.get());
      arguments = new Arguments(arguments.positional(), named);
    }
    line = call.line();
    return switch (function) {
      case Function callable -> callable.code().call(arguments);
      case Loop loop -> loop.recurse(arguments);
      case Undefined undefined -> throw new Failure(undefined.message());
      default -> throw new Failure("'" + function.type() + "' object is not callable");
    };
  }

  private List<Value> evaluateAll(List<Expression> expressions, Scope scope) {
    List<Value> values = new ArrayList<>(expressions.size());
    for (Expression expression : expressions) {
      values.add(evaluate(expression, scope));
    }
    return values;
  }

  private Value dict(List<Pair> pairs, Scope scope) {
    Dict dict = new Dict();
    for (Pair pair : pairs) {
      Value key = evaluate(pair.key(), scope);
      dict.put(key, evaluate(pair.value(), scope));
    }
    return dict;
  }

  private Value attribute(Expression.Attribute attribute, Scope scope) {
    Value target = evaluate(attribute.target(), scope);
    line = attribute.line();
    return access.attribute(target, attribute.name());
  }

  private Value subscript(Expression.Subscript subscript, Scope scope) {
    Value target = evaluate(subscript.target(), scope);
    Value index = evaluate(subscript.index(), scope);
    line = subscript.line();
    return access.item(target, index);
  }

  private boolean test(Expression.Test test, Scope scope) {
    Value tested = evaluate(test.target(), scope);
    Arguments arguments = arguments(test.arguments(), scope);
    line = test.line();
    return tests.test(test.name(), tested, arguments);
  }

  private Value and(Expression.And and, Scope scope) {
    Value left = evaluate(and.left(), scope);
    return Values.isTrue(left) ? evaluate(and.right(), scope) : left;
  }

  private Value or(Expression.Or or, Scope scope) {
    Value left = evaluate(or.left(), scope);
    return Values.isTrue(left) ? left : evaluate(or.right(), scope);
  }

  private Value sign(Expression.Sign sign, Scope scope) {
    Value operand = evaluate(sign.operand(), scope);
    line = sign.line();
    return arithmetic.sign(sign.negative(), operand);
  }

  private Value binary(Expression.Binary binary, Scope scope) {
    Value left = evaluate(binary.left(), scope);
    Value right = evaluate(binary.right(), scope);
    line = binary.line();
    return arithmetic.apply(binary.operator(), left, right);
  }

  private Value concatenate(Expression.Concatenation concatenation, Scope scope) {
    TextBuilder text = new TextBuilder(budget);
    for (Expression part : concatenation.parts()) {
      text.append(rendering.str(evaluate(part, scope)));
    }
    return new Text(text.toString());
  }

  private Value slice(Expression.Slice slice, Scope scope) {
    Value target = evaluate(slice.target(), scope);
    Value start = optional(slice.start(), scope);
    Value stop = optional(slice.stop(), scope);
    Value step = optional(slice.step(), scope);
    line = slice.line();
    return access.slice(target, start, stop, step);
  }

  private Value optional(Optional<Expression> expression, Scope scope) {
    return expression.isPresent() ? evaluate(expression.get(), scope) : None.NONE;
  }

  private Value conditional(Expression.Conditional conditional, Scope scope) {
    if (isTrue(conditional.test(), scope)) {
      return evaluate(conditional.then(), scope);
    }
    if (conditional.otherwise().isPresent()) {
      return evaluate(conditional.otherwise().get(), scope);
    }
    return new Undefined(
        "the inline if-expression on line %d evaluated to false and no else section was defined."
            .formatted(conditional.line()));
  }

  private boolean compare(Expression.Comparison comparison, Scope scope) {
    Value left = evaluate(comparison.first(), scope);
    for (Operand operand : comparison.operands()) {
      Value right = evaluate(operand.value(), scope);
      line = comparison.line();
      if (!comparing.test(operand.operator(), left, right)) {
        return false;
      }
      left = right;
    }
    return true;
  }

  private Arguments arguments(CallArguments call, Scope scope) {
    if (call.isEmpty()) {
      return Arguments.NONE;
    }
    List<Value> positional = evaluateAll(call.positional(), scope);
    if (call.spread().isPresent()) {
      positional.addAll(Values.toList(evaluate(call.spread().get(), scope), budget));
    }
    Map<String, Value> named = new LinkedHashMap<>();
    for (Keyword keyword : call.named()) {
      put(named, keyword.name(), evaluate(keyword.value(), scope));
    }
    if (call.spreadNamed().isPresent()) {
      if (!(evaluate(call.spreadNamed().get(), scope) instanceof Dict dict)) {
        throw new Failure("argument after ** must be a mapping");
      }
      for (Dict.Entry entry : dict.entries()) {
        if (!(entry.key() instanceof Text name)) {
          throw new Failure("keywords must be strings");
        }
        put(named, name.value(), entry.value());
      }
    }
    return new Arguments(positional, named);
  }

  private static void put(Map<String, Value> named, String name, Value value) {
    if (named.put(name, value) != null) {
      throw new Failure("multiple values for keyword argument '" + name + "'");
    }
  }
}
