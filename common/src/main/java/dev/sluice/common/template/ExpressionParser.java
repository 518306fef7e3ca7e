package dev.sluice.common.template;

import dev.sluice.common.template.Expression.BinaryOperator;
import dev.sluice.common.template.Expression.CallArguments;
import dev.sluice.common.template.Expression.ComparisonOperator;
import dev.sluice.common.template.Expression.FilterCall;
import dev.sluice.common.template.Expression.Keyword;
import dev.sluice.common.template.Expression.Operand;
import dev.sluice.common.template.Expression.Pair;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Parses expressions by operator precedence. From loosest to tightest, as in jinja2: {@code if
 * else}, {@code or}, {@code and}, {@code not}, comparisons and {@code in}, {@code + -}, {@code ~},
 * {@code * / // %}, {@code **} (to the left, unlike Python), signs, filters and {@code is},
 * attributes and calls.
 *
 * <p>Threading: used once by one thread.
 */
final class ExpressionParser {
  /** Words that end a test's argument-less form. */
  private static final Set<String> AFTER_TEST = Set.of("else", "or", "and");

  private final TokenStream tokens;

  /** Told of every variable that is read. */
  private final Consumer<String> reads;

  ExpressionParser(TokenStream tokens, Consumer<String> reads) {
    this.tokens = tokens;
    this.reads = reads;
  }

  Expression parse() {
    return conditional();
  }

  /** An expression in which {@code if} is not taken: it belongs to the statement. */
  Expression parseWithoutConditional() {
    return binary(Precedence.OR);
  }

  /** One expression, or a tuple of several without parentheses. */
  Expression parseTuple(boolean withConditional) {
    return tuple(withConditional, false);
  }

  private Expression tuple(boolean withConditional, boolean parentheses) {
    List<Expression> items = new ArrayList<>();
    boolean several = false;
    while (!atTupleEnd()) {
      items.add(withConditional ? conditional() : binary(Precedence.OR));
      if (!tokens.skipOperator(",")) {
        break;
      }
      several = true;
    }
    if (!several && !items.isEmpty()) {
      return items.getFirst();
    }
    if (!several && !parentheses) {
      throw tokens.unexpected("an expression");
    }
    return new Expression.TupleOf(List.copyOf(items));
  }

  private boolean atTupleEnd() {
    return switch (tokens.current().kind()) {
      case VARIABLE_END, BLOCK_END, END -> true;
      case OPERATOR -> tokens.isOperator(")");
      case NAME -> tokens.isName("recursive");
      case DATA, VARIABLE_BEGIN, BLOCK_BEGIN, STRING, INTEGER, FLOAT -> false;
    };
  }

  private Expression conditional() {
    int line = tokens.line();
    Expression then = binary(Precedence.OR);
    while (tokens.skipName("if")) {
      Expression test = binary(Precedence.OR);
      Optional<Expression> otherwise = Optional.empty();
      if (tokens.skipName("else")) {
        tokens.enter();
        otherwise = Optional.of(conditional());
        tokens.leave();
      }
      then = new Expression.Conditional(test, then, otherwise, line);
    }
    return then;
  }

  /** Operators that bind at least as tightly as {@code least}. */
  private Expression binary(int least) {
    tokens.enter();
    Expression left;
    if (least <= Precedence.NOT && tokens.skipName("not")) {
      left = new Expression.Not(binary(Precedence.NOT));
    } else {
      left = unary(true);
    }
    for (int power = power(); power >= least && power != Precedence.NONE; power = power()) {
      int line = tokens.line();
      left =
          switch (power) {
            case Precedence.OR -> {
              tokens.next();
              yield new Expression.Or(left, binary(Precedence.AND));
            }
            case Precedence.AND -> {
              tokens.next();
              yield new Expression.And(left, binary(Precedence.NOT));
            }
            case Precedence.COMPARE -> comparison(left);
            case Precedence.CONCATENATE -> concatenation(left);
            default -> {
              BinaryOperator operator = BinaryOperator.of(tokens.next().text());
              yield new Expression.Binary(operator, left, binary(power + 1), line);
            }
          };
    }
    tokens.leave();
    return left;
  }

  private int power() {
    return Precedence.of(tokens.current(), tokens.following());
  }

  private Expression comparison(Expression first) {
    int line = tokens.line();
    List<Operand> operands = new ArrayList<>();
    while (power() == Precedence.COMPARE) {
      String symbol = tokens.next().text();
      if (symbol.equals("not")) {
        tokens.expectName("in");
        symbol = "not in";
      }
      operands.add(new Operand(ComparisonOperator.of(symbol), binary(Precedence.ADD)));
    }
    return new Expression.Comparison(first, List.copyOf(operands), line);
  }

  private Expression concatenation(Expression first) {
    List<Expression> parts = new ArrayList<>();
    parts.add(first);
    while (tokens.skipOperator("~")) {
      parts.add(binary(Precedence.MULTIPLY));
    }
    return new Expression.Concatenation(List.copyOf(parts));
  }

  private Expression unary(boolean withFilters) {
    int line = tokens.line();
    Expression expression;
    if (tokens.isOperator("-") || tokens.isOperator("+")) {
      boolean negative = tokens.next().text().equals("-");
      tokens.enter();
      expression = new Expression.Sign(negative, unary(false), line);
      tokens.leave();
    } else {
      expression = primary();
    }
    expression = postfix(expression);
    return withFilters ? filters(expression) : expression;
  }

  private Expression primary() {
    Token token = tokens.current();
    return switch (token.kind()) {
      case NAME -> {
        tokens.next();
        yield name(token.text());
      }
      case STRING -> {
        StringBuilder text = new StringBuilder();
        while (tokens.current().kind() == Token.Kind.STRING) {
          text.append(tokens.next().text());
        }
        yield new Expression.Literal(new Value.Text(text.toString()));
      }
      case INTEGER -> {
        tokens.next();
        yield new Expression.Literal(new Value.Int(IntegerLiteral.parse(token)));
      }
      case FLOAT -> {
        tokens.next();
        yield new Expression.Literal(new Value.Real(Double.parseDouble(token.text())));
      }
      case OPERATOR ->
          switch (token.text()) {
            case "(" -> {
              tokens.next();
              Expression inner = tuple(true, true);
              tokens.expectOperator(")");
              yield inner;
            }
            case "[" -> list();
            case "{" -> dict();
            default -> throw tokens.unexpected("an expression");
          };
      case DATA, VARIABLE_BEGIN, VARIABLE_END, BLOCK_BEGIN, BLOCK_END, END ->
          throw tokens.unexpected("an expression");
    };
  }

  private Expression name(String name) {
    return switch (name) {
      case "true", "True" -> new Expression.Literal(Value.Bool.TRUE);
      case "false", "False" -> new Expression.Literal(Value.Bool.FALSE);
      case "none", "None" -> new Expression.Literal(Value.None.NONE);
      default -> {
        reads.accept(name);
        yield new Expression.Name(name);
      }
    };
  }

  private Expression list() {
    tokens.next();
    List<Expression> items = new ArrayList<>();
    while (!tokens.isOperator("]")) {
      items.add(conditional());
      if (!tokens.skipOperator(",")) {
        break;
      }
    }
    tokens.expectOperator("]");
    return new Expression.ListOf(List.copyOf(items));
  }

  private Expression dict() {
    tokens.next();
    List<Pair> pairs = new ArrayList<>();
    while (!tokens.isOperator("}")) {
      Expression key = conditional();
      tokens.expectOperator(":");
      pairs.add(new Pair(key, conditional()));
      if (!tokens.skipOperator(",")) {
        break;
      }
    }
    tokens.expectOperator("}");
    return new Expression.DictOf(List.copyOf(pairs));
  }

  private Expression postfix(Expression target) {
    Expression expression = target;
    while (true) {
      int line = tokens.line();
      if (tokens.skipOperator(".")) {
        expression = attribute(expression, line);
      } else if (tokens.skipOperator("[")) {
        expression = subscript(expression, line);
        tokens.expectOperator("]");
      } else if (tokens.isOperator("(")) {
        expression = new Expression.Call(expression, callArguments(), line);
      } else {
        return expression;
      }
    }
  }

  private Expression attribute(Expression target, int line) {
    Token token = tokens.next();
    return switch (token.kind()) {
      case NAME -> new Expression.Attribute(target, token.text(), line);
      case INTEGER -> {
        Expression index = new Expression.Literal(new Value.Int(IntegerLiteral.parse(token)));
        yield new Expression.Subscript(target, index, line);
      }
      case DATA,
          VARIABLE_BEGIN,
          VARIABLE_END,
          BLOCK_BEGIN,
          BLOCK_END,
          STRING,
          FLOAT,
          OPERATOR,
          END ->
          throw new TemplateException(
              token.describe() + " (expected: a name or a number after '.')", token.line());
    };
  }

  private Expression subscript(Expression target, int line) {
    Optional<Expression> start =
        tokens.isOperator(":") ? Optional.empty() : Optional.of(tuple(true, false));
    if (!tokens.skipOperator(":")) {
      return new Expression.Subscript(target, start.orElseThrow(), line);
    }
    Optional<Expression> stop = sliceEnd();
    Optional<Expression> step = tokens.skipOperator(":") ? sliceEnd() : Optional.empty();
    return new Expression.Slice(target, start, stop, step, line);
  }

  private Optional<Expression> sliceEnd() {
    return tokens.isOperator(":") || tokens.isOperator("]")
        ? Optional.empty()
        : Optional.of(conditional());
  }

  private Expression filters(Expression target) {
    Expression expression = target;
    while (true) {
      if (tokens.isOperator("|")) {
        expression = new Expression.Filter(expression, pipedFilter());
      } else if (tokens.isName("is")) {
        expression = test(expression);
      } else if (tokens.isOperator("(")) {
        expression = new Expression.Call(expression, callArguments(), tokens.line());
      } else {
        return expression;
      }
    }
  }

  /** The filters that follow: {@code | name(arguments) | ...}. */
  List<FilterCall> pipedFilters() {
    List<FilterCall> filters = new ArrayList<>();
    while (tokens.isOperator("|")) {
      filters.add(pipedFilter());
    }
    return filters;
  }

  private FilterCall pipedFilter() {
    tokens.expectOperator("|");
    return filter();
  }

  /** {@code name(arguments)}. */
  FilterCall filter() {
    int line = tokens.line();
    String name = dottedName();
    return new FilterCall(
        name, tokens.isOperator("(") ? callArguments() : CallArguments.NONE, line);
  }

  private String dottedName() {
    StringBuilder name = new StringBuilder(tokens.expect(Token.Kind.NAME, "a name").text());
    while (tokens.skipOperator(".")) {
      name.append('.').append(tokens.expect(Token.Kind.NAME, "a name").text());
    }
    return name.toString();
  }

  private Expression test(Expression target) {
    int line = tokens.line();
    tokens.expectName("is");
    boolean negated = tokens.skipName("not");
    String name = dottedName();
    CallArguments arguments = CallArguments.NONE;
    if (tokens.isOperator("(")) {
      arguments = callArguments();
    } else if (startsTestArgument()) {
      if (tokens.isName("is")) {
        throw tokens.error("tests cannot be chained with 'is'");
      }
      arguments =
          new CallArguments(
              List.of(postfix(primary())), List.of(), Optional.empty(), Optional.empty());
    }
    Expression test = new Expression.Test(target, name, arguments, line);
    return negated ? new Expression.Not(test) : test;
  }

  private boolean startsTestArgument() {
    return switch (tokens.current().kind()) {
      case NAME -> !AFTER_TEST.contains(tokens.current().text());
      case STRING, INTEGER, FLOAT -> true;
      case OPERATOR -> tokens.isOperator("[") || tokens.isOperator("{");
      case DATA, VARIABLE_BEGIN, VARIABLE_END, BLOCK_BEGIN, BLOCK_END, END -> false;
    };
  }

  private CallArguments callArguments() {
    tokens.expectOperator("(");
    List<Expression> positional = new ArrayList<>();
    List<Keyword> named = new ArrayList<>();
    Optional<Expression> spread = Optional.empty();
    Optional<Expression> spreadNamed = Optional.empty();
    while (!tokens.isOperator(")")) {
      boolean done = spreadNamed.isPresent();
      if (!done && spread.isEmpty() && tokens.skipOperator("*")) {
        spread = Optional.of(conditional());
      } else if (!done && tokens.skipOperator("**")) {
        spreadNamed = Optional.of(conditional());
      } else if (!done
          && tokens.current().kind() == Token.Kind.NAME
          && tokens.following().isOperator("=")) {
        String name = tokens.next().text();
        tokens.next();
        named.add(new Keyword(name, conditional()));
      } else if (!done && spread.isEmpty() && named.isEmpty()) {
        positional.add(conditional());
      } else {
        throw tokens.error("arguments of a call in the wrong order");
      }
      if (!tokens.skipOperator(",")) {
        break;
      }
    }
    tokens.expectOperator(")");
    return new CallArguments(List.copyOf(positional), List.copyOf(named), spread, spreadNamed);
  }
}
