package dev.sluice.common.template;

/** Escapes of Python's string literals. */
final class StringLiteral {
  private StringLiteral() {}

  /** Unknown escapes stay as they are, as in Python. */
  static String unescape(String literal, int line) {
    if (literal.indexOf('\\') < 0) {
      return literal;
    }
    StringBuilder text = new StringBuilder(literal.length());
    for (int i = 0; i < literal.length(); i++) {
      char c = literal.charAt(i);
      if (c != '\\') {
        text.append(c);
        continue;
      }
      char escape = literal.charAt(++i);
      switch (escape) {
        case '\n' -> {}
        case '\\', '\'', '"' -> text.append(escape);
        case 'a' -> text.append('\u0007');
        case 'b' -> text.append('\b');
        case 'f' -> text.append('\f');
        case 'n' -> text.append('\n');
        case 'r' -> text.append('\r');
        case 't' -> text.append('\t');
        case 'v' -> text.append('\u000b');
        case 'x' -> i = hexadecimal(literal, i, 2, text, line);
        case 'u' -> i = hexadecimal(literal, i, 4, text, line);
        case 'U' -> i = hexadecimal(literal, i, 8, text, line);
        case '0', '1', '2', '3', '4', '5', '6', '7' -> {
          int end = i + 1;
          while (end < literal.length() && end < i + 3 && isOctal(literal.charAt(end))) {
            end++;
          }
          text.append((char) Integer.parseInt(literal, i, end, 8));
          i = end - 1;
        }
        default -> text.append('\\').append(escape);
      }
    }
    return text.toString();
  }

  private static boolean isOctal(char c) {
    return c >= '0' && c <= '7';
  }

  /** Appends the character and returns where its last digit is. */
  private static int hexadecimal(String literal, int at, int digits, StringBuilder text, int line) {
    int end = at + 1 + digits;
    int value = -1;
    if (end <= literal.length()) {
      String hex = literal.substring(at + 1, end);
      if (hex.chars().allMatch(c -> Character.digit(c, 16) >= 0 && c < 0x80)) {
        value = (int) Math.min(Long.parseLong(hex, 16), Integer.MAX_VALUE);
      }
    }
    if (!Character.isValidCodePoint(value)) {
      throw new TemplateException(
          "escape '\\%c' (expected: %d hexadecimal digits of a character)"
              .formatted(literal.charAt(at), digits),
          line);
    }
    text.appendCodePoint(value);
    return end - 1;
  }
}
