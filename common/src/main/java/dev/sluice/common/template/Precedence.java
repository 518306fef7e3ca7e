package dev.sluice.common.template;

/** How tightly operators bind, from loosest to tightest. */
final class Precedence {
  /** Of what is no operator. */
  static final int NONE = 0;

  static final int OR = 1;
  static final int AND = 2;
  static final int NOT = 3;
  static final int COMPARE = 4;
  static final int ADD = 5;
  static final int CONCATENATE = 6;
  static final int MULTIPLY = 7;
  static final int POWER = 8;

  private Precedence() {}

  /** Of the operator that a token is, or begins. */
  static int of(Token token, Token following) {
    return switch (token.kind()) {
      case NAME ->
          switch (token.text()) {
            case "or" -> OR;
            case "and" -> AND;
            case "in" -> COMPARE;
            case "not" -> following.isName("in") ? COMPARE : NONE;
            default -> NONE;
          };
      case OPERATOR ->
          switch (token.text()) {
            case "==", "!=", "<", "<=", ">", ">=" -> COMPARE;
            case "+", "-" -> ADD;
            case "~" -> CONCATENATE;
            case "*", "/", "//", "%" -> MULTIPLY;
            case "**" -> POWER;
            default -> NONE;
          };
      case DATA,
          VARIABLE_BEGIN,
          VARIABLE_END,
          BLOCK_BEGIN,
          BLOCK_END,
          STRING,
          INTEGER,
          FLOAT,
          END ->
          NONE;
    };
  }
}
