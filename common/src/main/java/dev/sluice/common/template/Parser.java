package dev.sluice.common.template;

import dev.sluice.common.template.Expression.FilterCall;
import dev.sluice.common.template.Statement.Binding;
import dev.sluice.common.template.Statement.Branch;
import dev.sluice.common.template.Statement.Macro;
import dev.sluice.common.template.Statement.Parameter;
import dev.sluice.common.template.Statement.Target;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Parses a template's statements.
 *
 * <p>Threading: used once by one thread.
 */
final class Parser {
  private static final Set<String> IMPLICIT = Set.of("caller", "varargs", "kwargs");
  private static final Set<String> CONSTANTS =
      Set.of("true", "false", "none", "True", "False", "None");

  private final TokenStream tokens;
  private final ExpressionParser expressions;

  /** For each macro around the current place: which implicit variables it reads. */
  private final Deque<Set<String>> macroReads = new ArrayDeque<>();

  /** Loops around the current place, within the innermost macro. */
  private int loops;

  private Parser(TokenStream tokens) {
    this.tokens = tokens;
    this.expressions = new ExpressionParser(tokens, this::read);
  }

  static List<Statement> parse(String template) {
    Parser parser = new Parser(new TokenStream(Lexer.tokenize(template)));
    return parser.body();
  }

  private void read(String name) {
    if (IMPLICIT.contains(name)) {
      macroReads.forEach(reads -> reads.add(name));
    }
  }

  /**
   * Statements up to one of the tags that end the body, which is left as the current token, or up
   * to the template's end if there are none.
   */
  private List<Statement> body(String... ends) {
    tokens.enter();
    List<Statement> statements = new ArrayList<>();
    while (true) {
      Token token = tokens.next();
      switch (token.kind()) {
        case DATA -> statements.add(new Statement.Data(token.text()));
        case VARIABLE_BEGIN -> {
          statements.add(new Statement.Print(expressions.parseTuple(true), token.line()));
          tokens.expect(Token.Kind.VARIABLE_END, "'}}'");
        }
        case BLOCK_BEGIN -> {
          for (String end : ends) {
            if (tokens.isName(end)) {
              tokens.leave();
              return List.copyOf(statements);
            }
          }
          statements.addAll(statement());
          blockEnd();
        }
        case END -> {
          if (ends.length > 0) {
            throw tokens.unexpected("{% " + String.join(" %} or {% ", ends) + " %}");
          }
          return List.copyOf(statements);
        }
        case VARIABLE_END, BLOCK_END, NAME, STRING, INTEGER, FLOAT, OPERATOR ->
            throw new IllegalStateException(token.toString());
      }
    }
  }

  /** The rest of a tag, then statements up to and with the tag that ends them. */
  private List<Statement> bodyUntil(String end) {
    blockEnd();
    List<Statement> body = body(end);
    tokens.next();
    return body;
  }

  private void blockEnd() {
    tokens.expect(Token.Kind.BLOCK_END, "'%}'");
  }

  private List<Statement> statement() {
    Token tag = tokens.expect(Token.Kind.NAME, "the name of a tag");
    int line = tag.line();
    return switch (tag.text()) {
      case "if" -> List.of(parseIf());
      case "for" -> List.of(parseFor(line));
      case "set" -> List.of(parseSet(line));
      case "macro" -> List.of(parseMacro());
      case "call" -> List.of(parseCall());
      case "filter" -> List.of(parseFilter(line));
      case "with" -> List.of(parseWith(line));
      case "generation" -> List.of(parseGeneration());
      case "print" -> parsePrint(line);
      case "break" -> List.of(inLoop("break", new Statement.Break()));
      case "continue" -> List.of(inLoop("continue", new Statement.Continue()));
      default -> throw new TemplateException("unknown tag '" + tag.text() + "'", line);
    };
  }

  private Statement parseIf() {
    List<Branch> branches = new ArrayList<>();
    do {
      int line = tokens.line();
      Expression test = expressions.parseTuple(false);
      tokens.skipOperator(":");
      blockEnd();
      branches.add(new Branch(test, body("elif", "else", "endif"), line));
    } while (tokens.skipName("elif"));
    List<Statement> otherwise = List.of();
    if (tokens.next().text().equals("else")) {
      tokens.skipOperator(":");
      otherwise = bodyUntil("endif");
    }
    return new Statement.If(List.copyOf(branches), otherwise);
  }

  private Statement parseFor(int line) {
    Target target = target(false);
    tokens.expectName("in");
    Expression items = expressions.parseTuple(false);
    Optional<Expression> test =
        tokens.skipName("if") ? Optional.of(expressions.parse()) : Optional.empty();
    boolean recursive = tokens.skipName("recursive");
    tokens.skipOperator(":");
    blockEnd();
    loops++;
    List<Statement> body = body("endfor", "else");
    loops--;
    List<Statement> otherwise = List.of();
    if (tokens.next().text().equals("else")) {
      otherwise = bodyUntil("endfor");
    }
    return new Statement.For(target, items, test, recursive, body, otherwise, line);
  }

  private Statement parseSet(int line) {
    Target target = target(true);
    if (tokens.skipOperator("=")) {
      return new Statement.Assign(target, expressions.parseTuple(true), line);
    }
    List<FilterCall> filters = List.copyOf(expressions.pipedFilters());
    return new Statement.AssignBlock(target, filters, bodyUntil("endset"), line);
  }

  private Statement parseMacro() {
    String name = tokens.expect(Token.Kind.NAME, "a name").text();
    return new Statement.DefineMacro(macro(name, parameters(), "endmacro"));
  }

  private Statement parseCall() {
    List<Parameter> parameters = tokens.isOperator("(") ? parameters() : List.of();
    if (!(expressions.parse() instanceof Expression.Call call)) {
      throw tokens.error("no call (expected: {% call macro(...) %})");
    }
    return new Statement.CallBlock(macro("caller", parameters, "endcall"), call);
  }

  private Macro macro(String name, List<Parameter> parameters, String end) {
    int outerLoops = loops;
    loops = 0;
    macroReads.push(new HashSet<>());
    List<Statement> body = bodyUntil(end);
    Set<String> implicit = macroReads.pop();
    parameters.forEach(parameter -> implicit.remove(parameter.name()));
    loops = outerLoops;
    return new Macro(name, parameters, Set.copyOf(implicit), body);
  }

  private List<Parameter> parameters() {
    List<Parameter> parameters = new ArrayList<>();
    tokens.expectOperator("(");
    while (!tokens.isOperator(")")) {
      String name = tokens.expect(Token.Kind.NAME, "a name").text();
      Optional<Expression> standard = Optional.empty();
      if (tokens.skipOperator("=")) {
        standard = Optional.of(expressions.parse());
      } else if (!parameters.isEmpty() && parameters.getLast().standard().isPresent()) {
        throw tokens.error("parameter '" + name + "' without a default follows one with a default");
      }
      parameters.add(new Parameter(name, standard));
      if (!tokens.skipOperator(",")) {
        break;
      }
    }
    tokens.expectOperator(")");
    return List.copyOf(parameters);
  }

  private Statement parseFilter(int line) {
    List<FilterCall> filters = new ArrayList<>();
    filters.add(expressions.filter());
    filters.addAll(expressions.pipedFilters());
    return new Statement.FilterBlock(List.copyOf(filters), bodyUntil("endfilter"), line);
  }

  private Statement parseWith(int line) {
    List<Binding> bindings = new ArrayList<>();
    while (tokens.current().kind() != Token.Kind.BLOCK_END) {
      if (!bindings.isEmpty()) {
        tokens.expectOperator(",");
      }
      Target target = primaryTarget(false);
      tokens.expectOperator("=");
      bindings.add(new Binding(target, expressions.parse()));
    }
    return new Statement.With(List.copyOf(bindings), bodyUntil("endwith"), line);
  }

  /** Marks what the assistant wrote, for training; jinja2 makes its body a macro of its own. */
  private Statement parseGeneration() {
    int outerLoops = loops;
    loops = 0;
    List<Statement> body = bodyUntil("endgeneration");
    loops = outerLoops;
    return new Statement.Scoped(body);
  }

  private List<Statement> parsePrint(int line) {
    List<Statement> prints = new ArrayList<>();
    while (tokens.current().kind() != Token.Kind.BLOCK_END) {
      if (!prints.isEmpty()) {
        tokens.expectOperator(",");
      }
      prints.add(new Statement.Print(expressions.parse(), line));
    }
    return prints;
  }

  private Statement inLoop(String tag, Statement statement) {
    if (loops == 0) {
      throw tokens.error("'" + tag + "' outside of a loop");
    }
    return statement;
  }

  private Target target(boolean withMembers) {
    Target first = primaryTarget(withMembers);
    if (!tokens.isOperator(",")) {
      return first;
    }
    List<Target> targets = new ArrayList<>();
    targets.add(first);
    while (tokens.skipOperator(",")) {
      if ((tokens.current().kind() != Token.Kind.NAME && !tokens.isOperator("("))
          || tokens.isName("in")) {
        break;
      }
      targets.add(primaryTarget(withMembers));
    }
    return new Target.Several(List.copyOf(targets));
  }

  private Target primaryTarget(boolean withMembers) {
    if (tokens.skipOperator("(")) {
      tokens.enter();
      Target inner = target(withMembers);
      tokens.leave();
      tokens.expectOperator(")");
      return inner;
    }
    String name = tokens.expect(Token.Kind.NAME, "a name to assign to").text();
    if (CONSTANTS.contains(name)) {
      throw tokens.error("'" + name + "' cannot be assigned to");
    }
    if (withMembers && tokens.skipOperator(".")) {
      return new Target.Member(name, tokens.expect(Token.Kind.NAME, "a name").text());
    }
    return new Target.Variable(name);
  }
}
