package dev.sluice.common.template;

/** Integers as Python writes them. */
final class IntegerLiteral {
  private IntegerLiteral() {}

  static long parse(Token token) {
    String text = token.text();
    try {
      if (text.length() > 1 && Character.isLetter(text.charAt(1))) {
        int radix =
            switch (text.charAt(1)) {
              case 'b', 'B' -> 2;
              case 'o', 'O' -> 8;
              default -> 16;
            };
        return Long.parseLong(text, 2, text.length(), radix);
      }
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new TemplateException(text + " (expected: an integer of 64 bits)", token.line());
    }
  }
}
