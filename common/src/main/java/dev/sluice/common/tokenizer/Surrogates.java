package dev.sluice.common.tokenizer;

/** Repairs strings that are no valid UTF-16. */
final class Surrogates {
  private Surrogates() {}

  /**
   * The text with U+FFFD for each unpaired surrogate. JNI hands strings over in modified UTF-8; a
   * single unpaired surrogate would make the native side misread every emoji of the text.
   */
  static String repair(String text) {
    int broken = firstUnpaired(text, 0);
    if (broken < 0) {
      return text;
    }
    StringBuilder repaired = new StringBuilder(text);
    for (; broken >= 0; broken = firstUnpaired(repaired, broken + 1)) {
      repaired.setCharAt(broken, '\uFFFD');
    }
    return repaired.toString();
  }

  /** Index of the first unpaired surrogate at or after {@code from}; negative if there is none. */
  private static int firstUnpaired(CharSequence text, int from) {
    for (int i = from; i < text.length(); i++) {
      char c = text.charAt(i);
      if (!Character.isSurrogate(c)) {
        continue;
      }
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else {
        return i;
      }
    }
    return -1;
  }
}
