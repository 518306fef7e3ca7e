package dev.sluice.common.template;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a template into tokens, by the rules of jinja2 with {@code trim_blocks} (a newline after a
 * block's end goes) and {@code lstrip_blocks} (blanks before a block on its line go). Comments are
 * left out.
 *
 * <p>Threading: used once by one thread.
 */
final class Lexer {
  private static final Pattern NEWLINE = Pattern.compile("\r\n|\r");
  private static final Pattern RAW_BEGIN =
      Pattern.compile("\\{%([-+]?)\\s*raw\\s*(?:-%\\}\\s*|%\\})", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern RAW_END =
      Pattern.compile(
          "\\{%([-+]?)\\s*endraw\\s*(?:\\+%\\}|-%\\}\\s*|%\\}\n?)",
          Pattern.UNICODE_CHARACTER_CLASS);

  /** Longer ones first. */
  private static final List<String> OPERATORS =
      List.of(
          "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{",
          "}", ">", "<", "=", ".", ":", "|", ",", ";");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int position;

  /** Line at {@link #countedTo}. */
  private int line = 1;

  private int countedTo;

  /** Whether the last tag was consumed up to the end of its line. */
  private boolean lineStarts = true;

  private Lexer(String source) {
    this.source = source;
  }

  /** All tokens; the last is {@link Token.Kind#END}. */
  static List<Token> tokenize(String template) {
    String source = NEWLINE.matcher(template).replaceAll("\n");
    if (source.endsWith("\n")) {
      source = source.substring(0, source.length() - 1);
    }
    Lexer lexer = new Lexer(source);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    while (position < source.length()) {
      int tag = nextTag();
      if (tag < 0) {
        addData(source.substring(position));
        position = source.length();
        break;
      }
      Matcher raw = RAW_BEGIN.matcher(source).region(tag, source.length());
      if (raw.lookingAt()) {
        addData(beforeTag(tag, sign(tag + 2), true));
        position = raw.end();
        raw();
        continue;
      }
      char sign = sign(tag + 2);
      char type = source.charAt(tag + 1);
      addData(beforeTag(tag, sign, type != '{'));
      position = tag + (sign == ' ' ? 2 : 3);
      switch (type) {
        case '#' -> comment();
        case '%' -> tag(tag, Token.Kind.BLOCK_BEGIN, Token.Kind.BLOCK_END, "%}");
        default -> tag(tag, Token.Kind.VARIABLE_BEGIN, Token.Kind.VARIABLE_END, "}}");
      }
    }
    add(Token.Kind.END, "", source.length());
  }

  /** Where the next '{{', '{%' or '{#' is; negative if there is none. */
  private int nextTag() {
    int at = source.indexOf('{', position);
    while (at >= 0) {
      if (at + 1 < source.length() && "{%#".indexOf(source.charAt(at + 1)) >= 0) {
        return at;
      }
      at = source.indexOf('{', at + 1);
    }
    return -1;
  }

  private char sign(int at) {
    return at < source.length() && "-+".indexOf(source.charAt(at)) >= 0 ? source.charAt(at) : ' ';
  }

  /** Text up to a tag, with the blanks gone that the tag takes away. */
  private String beforeTag(int tag, char sign, boolean stripsLine) {
    String text = source.substring(position, tag);
    if (sign == '-') {
      return PythonText.stripEnd(text, PythonText::isSpace);
    }
    int lineStart = text.lastIndexOf('\n') + 1;
    boolean blank =
        lineStart < text.length()
            && text.substring(lineStart).codePoints().allMatch(PythonText::isSpace);
    return sign == ' ' && stripsLine && blank && (lineStart > 0 || lineStarts)
        ? text.substring(0, lineStart)
        : text;
  }

  private void comment() {
    int end = source.indexOf("#}", position);
    if (end < 0) {
      throw new TemplateException("missing end of comment", lineAt(position));
    }
    char sign = end > position ? source.charAt(end - 1) : ' ';
    endTag(end + 2, sign, true);
  }

  private void raw() {
    Matcher end = RAW_END.matcher(source);
    if (!end.find(position)) {
      throw new TemplateException("missing end of raw block", lineAt(position));
    }
    lineStarts = position > 0 && source.charAt(position - 1) == '\n';
    addData(beforeTag(end.start(), sign(end.start() + 2), true));
    position = end.end();
    lineStarts = source.charAt(position - 1) == '\n';
  }

  /** Moves behind a tag's end and what it takes away: all blanks, or for blocks a newline. */
  private void endTag(int end, char sign, boolean trimsNewline) {
    position = end;
    if (sign == '-') {
      while (position < source.length() && PythonText.isSpace(source.charAt(position))) {
        position++;
      }
    } else if (sign != '+'
        && trimsNewline
        && position < source.length()
        && source.charAt(position) == '\n') {
      position++;
    }
    lineStarts = source.charAt(position - 1) == '\n';
  }

  private void tag(int start, Token.Kind begin, Token.Kind end, String closing) {
    boolean block = end == Token.Kind.BLOCK_END;
    add(begin, "", start);
    Deque<String> open = new ArrayDeque<>();
    while (position < source.length()) {
      char c = source.charAt(position);
      if (PythonText.isSpace(c)) {
        position++;
        continue;
      }
      if (open.isEmpty()) {
        boolean signed = c == '-' || (c == '+' && block);
        if (source.startsWith(closing, position + (signed ? 1 : 0))) {
          add(end, "", position);
          endTag(position + closing.length() + (signed ? 1 : 0), signed ? c : ' ', block);
          return;
        }
      }
      if (!number() && !name() && !string(c)) {
        operator(open);
      }
    }
    throw new TemplateException("unexpected end of template", lineAt(position));
  }

  private boolean number() {
    if (!isDigit(position, 10)) {
      return false;
    }
    boolean afterDot = position > 0 && source.charAt(position - 1) == '.';
    int end = afterDot ? position : floatEnd();
    Token.Kind kind = Token.Kind.FLOAT;
    if (end == position) {
      kind = Token.Kind.INTEGER;
      end = integerEnd();
    }
    add(kind, source.substring(position, end).replace("_", ""), position);
    position = end;
    return true;
  }

  /** Where a number with a fraction or an exponent ends; {@link #position} if there is none. */
  private int floatEnd() {
    int whole = digits(position, 10);
    boolean fraction = whole < source.length() && source.charAt(whole) == '.';
    int end = fraction ? digits(whole + 1, 10) : whole;
    if (fraction && end == whole + 1) {
      end = whole;
    }
    if (end < source.length() && "eE".indexOf(source.charAt(end)) >= 0) {
      boolean signed = end + 1 < source.length() && "+-".indexOf(source.charAt(end + 1)) >= 0;
      int exponent = end + (signed ? 2 : 1);
      if (isDigit(exponent, 10)) {
        return digits(exponent, 10);
      }
    }
    return end == whole ? position : end;
  }

  private int integerEnd() {
    if (source.charAt(position) != '0') {
      return digits(position, 10);
    }
    int radix =
        switch (position + 1 < source.length() ? source.charAt(position + 1) : ' ') {
          case 'b', 'B' -> 2;
          case 'o', 'O' -> 8;
          case 'x', 'X' -> 16;
          default -> 1;
        };
    if (radix == 1) {
      return digits(position, 1);
    }
    int end = digits(position + 2, radix);
    return end == position + 2 ? position + 1 : end;
  }

  /** The end of digits that may be divided by single underscores. */
  private int digits(int from, int radix) {
    int end = from;
    while (isDigit(end, radix)) {
      end++;
      if (end < source.length() && source.charAt(end) == '_' && isDigit(end + 1, radix)) {
        end++;
      }
    }
    return end;
  }

  private boolean isDigit(int at, int radix) {
    if (at >= source.length() || source.charAt(at) >= 0x80) {
      return false;
    }
    return radix == 1 ? source.charAt(at) == '0' : Character.digit(source.charAt(at), radix) >= 0;
  }

  private boolean name() {
    int end = position;
    while (end < source.length()) {
      int c = source.codePointAt(end);
      boolean part =
          c == '_'
              || (end == position
                  ? Character.isUnicodeIdentifierStart(c)
                  : Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c));
      if (!part) {
        break;
      }
      end += Character.charCount(c);
    }
    if (end == position) {
      return false;
    }
    add(Token.Kind.NAME, source.substring(position, end), position);
    position = end;
    return true;
  }

  private boolean string(char quote) {
    if (quote != '\'' && quote != '"') {
      return false;
    }
    for (int i = position + 1; i < source.length(); i++) {
      char c = source.charAt(i);
      if (c == '\\') {
        i++;
      } else if (c == quote) {
        String literal = source.substring(position + 1, i);
        add(Token.Kind.STRING, StringLiteral.unescape(literal, lineAt(position)), position);
        position = i + 1;
        return true;
      }
    }
    throw new TemplateException("missing end of string", lineAt(position));
  }

  private void operator(Deque<String> open) {
    for (String operator : OPERATORS) {
      if (!source.startsWith(operator, position)) {
        continue;
      }
      switch (operator) {
        case "(" -> open.push(")");
        case "[" -> open.push("]");
        case "{" -> open.push("}");
        case ")", "]", "}" -> {
          if (open.isEmpty() || !open.pop().equals(operator)) {
            throw new TemplateException("unexpected '" + operator + "'", lineAt(position));
          }
        }
        default -> {}
      }
      add(Token.Kind.OPERATOR, operator, position);
      position += operator.length();
      return;
    }
    throw new TemplateException(
        "unexpected character '" + Character.toString(source.codePointAt(position)) + "'",
        lineAt(position));
  }

  private void addData(String text) {
    if (!text.isEmpty()) {
      add(Token.Kind.DATA, text, position);
    }
  }

  private void add(Token.Kind kind, String text, int at) {
    tokens.add(new Token(kind, text, lineAt(at)));
  }

  /** Tokens come in order, so lines are counted once over the source. */
  private int lineAt(int at) {
    for (; countedTo < at && countedTo < source.length(); countedTo++) {
      if (source.charAt(countedTo) == '\n') {
        line++;
      }
    }
    return line;
  }
}
