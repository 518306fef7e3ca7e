package dev.sluice.common.template;

import java.util.List;

/**
 * Tokens with a place in them.
 *
 * <p>Threading: used once by one thread.
 */
final class TokenStream {
  /** Nested expressions and statements in the source. */
  private static final int MAX_DEPTH = 150;

  private final List<Token> tokens;
  private int position;
  private int depth;

  TokenStream(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token current() {
    return tokens.get(position);
  }

  /** The token after the current one. */
  Token following() {
    return tokens.get(Math.min(position + 1, tokens.size() - 1));
  }

  int line() {
    return current().line();
  }

  /** Returns the current token and moves on; the end stays. */
  Token next() {
    Token token = current();
    if (position < tokens.size() - 1) {
      position++;
    }
    return token;
  }

  boolean isName(String name) {
    return current().isName(name);
  }

  boolean isOperator(String operator) {
    return current().isOperator(operator);
  }

  boolean skipName(String name) {
    boolean skips = isName(name);
    if (skips) {
      next();
    }
    return skips;
  }

  boolean skipOperator(String operator) {
    boolean skips = isOperator(operator);
    if (skips) {
      next();
    }
    return skips;
  }

  void expectName(String name) {
    if (!skipName(name)) {
      throw unexpected("'" + name + "'");
    }
  }

  void expectOperator(String operator) {
    if (!skipOperator(operator)) {
      throw unexpected("'" + operator + "'");
    }
  }

  Token expect(Token.Kind kind, String expected) {
    if (current().kind() != kind) {
      throw unexpected(expected);
    }
    return next();
  }

  TemplateException unexpected(String expected) {
    return error(current().describe() + " (expected: " + expected + ")");
  }

  TemplateException error(String message) {
    return new TemplateException(message, line());
  }

  void enter() {
    if (++depth > MAX_DEPTH) {
      throw error("nested too deeply (expected: at most " + MAX_DEPTH + " levels)");
    }
  }

  void leave() {
    depth--;
  }
}
