package dev.sluice.common.template;

import java.util.List;
import java.util.Optional;

/** A node that has a value. */
sealed interface Expression {
  record Literal(Value value) implements Expression {}

  record Name(String name) implements Expression {}

  record ListOf(List<Expression> items) implements Expression {}

  record TupleOf(List<Expression> items) implements Expression {}

  record DictOf(List<Pair> pairs) implements Expression {}

  /** {@code target.name}: an attribute, else an item. */
  record Attribute(Expression target, String name, int line) implements Expression {}

  /** {@code target[index]}: an item, else an attribute. */
  record Subscript(Expression target, Expression index, int line) implements Expression {}

  /** {@code target[start:stop:step]}. */
  record Slice(
      Expression target,
      Optional<Expression> start,
      Optional<Expression> stop,
      Optional<Expression> step,
      int line)
      implements Expression {}

  record Call(Expression function, CallArguments arguments, int line) implements Expression {}

  record Filter(Expression target, FilterCall filter) implements Expression {}

  record Test(Expression target, String name, CallArguments arguments, int line)
      implements Expression {}

  record Not(Expression operand) implements Expression {}

  record And(Expression left, Expression right) implements Expression {}

  record Or(Expression left, Expression right) implements Expression {}

  /** {@code then if test else otherwise}. */
  record Conditional(Expression test, Expression then, Optional<Expression> otherwise, int line)
      implements Expression {}

  record Sign(boolean negative, Expression operand, int line) implements Expression {}

  record Binary(BinaryOperator operator, Expression left, Expression right, int line)
      implements Expression {}

  /** {@code a ~ b ~ ...}. */
  record Concatenation(List<Expression> parts) implements Expression {}

  /** {@code first < a <= b ...}: true if each neighbouring pair is. */
  record Comparison(Expression first, List<Operand> operands, int line) implements Expression {}

  record Pair(Expression key, Expression value) {}

  record Operand(ComparisonOperator operator, Expression value) {}

  record FilterCall(String name, CallArguments arguments, int line) {}

  /** {@code (positional, name=named, *spread, **spreadNamed)}. */
  record CallArguments(
      List<Expression> positional,
      List<Keyword> named,
      Optional<Expression> spread,
      Optional<Expression> spreadNamed) {
    static final CallArguments NONE =
        new CallArguments(List.of(), List.of(), Optional.empty(), Optional.empty());

    boolean isEmpty() {
      return positional.isEmpty() && named.isEmpty() && spread.isEmpty() && spreadNamed.isEmpty();
    }
  }

  record Keyword(String name, Expression value) {}

  /** The arithmetic ones. */
  enum BinaryOperator {
    ADD("+"),
    SUBTRACT("-"),
    MULTIPLY("*"),
    DIVIDE("/"),
    FLOOR_DIVIDE("//"),
    MODULO("%"),
    POWER("**");

    final String symbol;

    BinaryOperator(String symbol) {
      this.symbol = symbol;
    }

    static BinaryOperator of(String symbol) {
      for (BinaryOperator operator : values()) {
        if (operator.symbol.equals(symbol)) {
          return operator;
        }
      }
      throw new IllegalArgumentException(symbol);
    }
  }

  /** How neighbours are compared. */
  enum ComparisonOperator {
    EQUAL("=="),
    NOT_EQUAL("!="),
    LESS("<"),
    LESS_OR_EQUAL("<="),
    GREATER(">"),
    GREATER_OR_EQUAL(">="),
    IN("in"),
    NOT_IN("not in");

    final String symbol;

    ComparisonOperator(String symbol) {
      this.symbol = symbol;
    }

    static ComparisonOperator of(String symbol) {
      for (ComparisonOperator operator : values()) {
        if (operator.symbol.equals(symbol)) {
          return operator;
        }
      }
      throw new IllegalArgumentException(symbol);
    }
  }
}
