package dev.sluice.worker.constraint;

import java.util.ArrayList;
import java.util.List;

/**
 * Reads the part of regular expressions that is regular and means the same in ECMA-262 and Java:
 * alternatives, groups, classes, quantifiers, {@code ^} and {@code $}. What is not is refused by
 * name, such as lookaround and backreferences.
 */
final class RegexParser {
  private static final int MAX_COUNT = 10_000;

  /** Characters that stand for themselves behind a backslash. */
  private static final String PUNCTUATION = "^$\\.*+?()[]{}|/-!\"#%&',:;<=>@_`~ ";

  private final String pattern;
  private final Budget budget;
  private int at;
  private int depth;

  private RegexParser(String pattern, Budget budget) {
    this.pattern = pattern;
    this.budget = budget;
  }

  /**
   * @throws ConstraintException saying what is wrong, and where
   */
  static Regex parse(String pattern, Budget budget) {
    budget.source(pattern.length());
    RegexParser parser = new RegexParser(pattern, budget);
    Regex regex = parser.either();
    if (!parser.isAtEnd()) {
      throw parser.wrong("an unmatched )");
    }
    return regex;
  }

  private Regex either() {
    budget.depth(++depth);
    List<Regex> options = new ArrayList<>();
    do {
      options.add(concat());
    } while (skip('|'));
    depth--;
    return options.size() == 1 ? options.getFirst() : new Regex.Either(options);
  }

  private Regex concat() {
    List<Regex> parts = new ArrayList<>();
    while (!isAtEnd() && peek() != '|' && peek() != ')') {
      budget.node();
      parts.add(quantified());
    }
    return parts.size() == 1 ? parts.getFirst() : new Regex.Concat(parts);
  }

  private Regex quantified() {
    Regex atom = atom();
    if (isAtEnd()) {
      return atom;
    }
    int min;
    int max;
    switch (peek()) {
      case '*' -> {
        min = 0;
        max = Regex.Repeat.UNBOUNDED;
        at++;
      }
      case '+' -> {
        min = 1;
        max = Regex.Repeat.UNBOUNDED;
        at++;
      }
      case '?' -> {
        min = 0;
        max = 1;
        at++;
      }
      case '{' -> {
        at++;
        min = count();
        max = min;
        if (skip(',')) {
          max = !isAtEnd() && peek() == '}' ? Regex.Repeat.UNBOUNDED : count();
        }
        expect('}');
        if (max < min) {
          throw wrong("a repetition of " + min + " to " + max + " times");
        }
      }
      default -> {
        return atom;
      }
    }
    if (atom instanceof Regex.Begin || atom instanceof Regex.End) {
      throw wrong("a repeated ^ or $");
    }
    boolean _ = skip('?'); // lazy: another order of trying, the same texts
    if (!isAtEnd() && "*+?{".indexOf(peek()) >= 0) {
      throw wrong(peek() == '+' ? "a possessive quantifier" : "a quantifier of a quantifier");
    }
    return new Regex.Repeat(atom, min, max);
  }

  private int count() {
    int start = at;
    long count = 0;
    while (!isAtEnd() && isDigit(peek()) && count <= MAX_COUNT) {
      count = 10 * count + (next() - '0');
    }
    if (at == start) {
      throw wrong("a { without a number");
    }
    if (count > MAX_COUNT) {
      throw wrong("a repetition of more than " + MAX_COUNT + " times");
    }
    return (int) count;
  }

  private Regex atom() {
    int c = next();
    return switch (c) {
      case '(' -> group();
      case '[' -> new Regex.Chars(set());
      case '.' -> new Regex.Chars(CharacterClasses.DOT);
      case '^' -> new Regex.Begin();
      case '$' -> new Regex.End();
      case '\\' -> escape();
      case '*', '+', '?' -> throw wrong("a quantifier without anything to repeat");
      case '{', '}', ']' -> throw wrong("an unescaped " + (char) c);
      default -> new Regex.Chars(CodePoints.of(c));
    };
  }

  private Regex group() {
    if (skip('?')) {
      if (isAtEnd()) {
        throw wrong("an unmatched (");
      }
      int kind = next();
      if (kind == '<' && !isAtEnd() && peek() != '=' && peek() != '!') {
        while (!isAtEnd() && peek() != '>') {
          at++;
        }
        expect('>');
      } else {
        switch (kind) {
          case ':' -> {}
          case '=', '!' -> throw wrong("lookahead, which is not supported");
          case '<' -> throw wrong("lookbehind, which is not supported");
          case '>' -> throw wrong("an atomic group, which is not supported");
          default -> throw wrong("inline flags, which are not supported");
        }
      }
    }
    Regex body = either();
    expect(')');
    return body;
  }

  private Regex escape() {
    int c = next();
    return switch (c) {
      case 'A' -> new Regex.Begin();
      case 'z' -> new Regex.End();
      case 'b', 'B' -> throw wrong("a word boundary, which is not supported");
      case 'k' -> throw wrong("a backreference, which is not supported");
      case '1', '2', '3', '4', '5', '6', '7', '8', '9' ->
          throw wrong("a backreference, which is not supported");
      default -> new Regex.Chars(escapedSet(c, false));
    };
  }

  /**
   * What the escape of this character stands for.
   *
   * @param leftOut whether it is part of what a negated class leaves out
   */
  private CodePoints escapedSet(int c, boolean leftOut) {
    return switch (c) {
      case 'd' -> CharacterClasses.DIGIT;
      case 'D' -> CharacterClasses.DIGIT.complement();
      case 'w' -> CharacterClasses.WORD;
      case 'W' -> CharacterClasses.WORD.complement();
      case 's' -> leftOut ? CharacterClasses.ANY_SPACE : CharacterClasses.SPACE;
      case 'S' -> (leftOut ? CharacterClasses.SPACE : CharacterClasses.ANY_SPACE).complement();
      case 'p' -> category();
      case 'P' -> category().complement();
      default -> CodePoints.of(escapedCharacter(c));
    };
  }

  private int escapedCharacter(int c) {
    return switch (c) {
      case 't' -> '\t';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 'f' -> '\f';
      case 'v' -> 0x0B;
      case '0' -> {
        if (!isAtEnd() && isDigit(peek())) {
          throw wrong("an octal number");
        }
        yield 0;
      }
      case 'x' -> !isAtEnd() && peek() == '{' ? bracedHex() : hex(2);
      case 'u' -> !isAtEnd() && peek() == '{' ? bracedHex() : utf16();
      default -> {
        if (PUNCTUATION.indexOf(c) < 0) {
          throw wrong("\\" + Character.toString(c) + ", which is not supported");
        }
        yield c;
      }
    };
  }

  /** A character of four hexadecimal digits, or of two such escapes that are surrogates. */
  private int utf16() {
    int high = hex(4);
    if (!Character.isSurrogate((char) high)) {
      return high;
    }
    if (Character.isHighSurrogate((char) high) && pattern.startsWith("\\u", at)) {
      at += 2;
      int low = hex(4);
      if (Character.isLowSurrogate((char) low)) {
        return Character.toCodePoint((char) high, (char) low);
      }
    }
    throw wrong("an unpaired surrogate");
  }

  private int bracedHex() {
    expect('{');
    int end = pattern.indexOf('}', at);
    if (end <= at || end - at > 6) {
      throw wrong("a { without 1 to 6 hexadecimal digits");
    }
    int value = hex(end - at);
    expect('}');
    if (value > Character.MAX_CODE_POINT || (value >>> 11) == 0x1B) {
      throw wrong("a number that is no character");
    }
    return value;
  }

  private int hex(int digits) {
    int value = 0;
    for (int i = 0; i < digits; i++) {
      int digit = Character.digit(next(), 16);
      if (digit < 0) {
        throw wrong("an escape without " + digits + " hexadecimal digits");
      }
      value = 16 * value + digit;
    }
    return value;
  }

  private CodePoints category() {
    expect('{');
    int end = pattern.indexOf('}', at);
    if (end < 0 || end - at > 64) {
      throw wrong("a \\p{ without its }");
    }
    String name = pattern.substring(at, end);
    at = end + 1;
    return CharacterClasses.category(name)
        .orElseThrow(() ->
            wrong("\\p{" + name + "} (expected one of: " + CharacterClasses.categories() + ")"));
  }

  /** The rest of a class. */
  private CodePoints set() {
    boolean negated = skip('^');
    CodePoints set = CodePoints.NONE;
    if (!isAtEnd() && peek() == ']') {
      throw wrong("an empty class or an unescaped ] in it");
    }
    while (!skip(']')) {
      budget.node();
      CodePoints item = member(negated);
      if (!isAtEnd()
          && peek() == '-'
          && at + 1 < pattern.length()
          && pattern.charAt(at + 1) != ']') {
        at++;
        CodePoints end = member(negated);
        if (!isSingle(item) || !isSingle(end) || end.first(0) < item.first(0)) {
          throw wrong("a range that is no range");
        }
        item = CodePoints.range(item.first(0), end.first(0));
      }
      set = set.union(item);
      budget.work(set.ranges());
    }
    return negated ? set.complement() : set;
  }

  private CodePoints member(boolean negated) {
    int c = next();
    if (c == '[') {
      throw wrong("an unescaped [ in a class");
    }
    if (c == '&' && !isAtEnd() && peek() == '&') {
      throw wrong("an intersection of classes, which is not supported");
    }
    if (c != '\\') {
      return CodePoints.of(c);
    }
    int escaped = next();
    return escaped == 'b' ? CodePoints.of('\b') : escapedSet(escaped, negated);
  }

  private static boolean isSingle(CodePoints set) {
    return set.ranges() == 1 && set.first(0) == set.last(0);
  }

  private boolean isAtEnd() {
    return at == pattern.length();
  }

  private char peek() {
    return pattern.charAt(at);
  }

  private int next() {
    if (isAtEnd()) {
      throw wrong("an unexpected end");
    }
    int c = pattern.codePointAt(at);
    if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
      throw wrong("an unpaired surrogate");
    }
    at += Character.charCount(c);
    return c;
  }

  private boolean skip(char c) {
    if (isAtEnd() || peek() != c) {
      return false;
    }
    at++;
    return true;
  }

  private void expect(char c) {
    if (!skip(c)) {
      throw wrong("a missing " + c);
    }
  }

  private static boolean isDigit(int c) {
    return c >= '0' && c <= '9';
  }

  private ConstraintException wrong(String what) {
    return new ConstraintException("regular expression, character " + at + ": " + what);
  }
}
