package dev.sluice.common.template;

import java.util.Locale;

/** Upper and lower case, as in Python. */
final class Casing {
  private Casing() {}

  static String upper(String text) {
    return text.toUpperCase(Locale.ROOT);
  }

  static String lower(String text) {
    return text.toLowerCase(Locale.ROOT);
  }

  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = Character.charCount(text.codePointAt(0));
    return titleCase(text.codePointAt(0)) + lower(text.substring(first));
  }

  /** A letter is upper case if none stands before it. */
  static String title(String text) {
    StringBuilder titled = new StringBuilder(text.length());
    boolean inWord = false;
    for (int c : text.codePoints().toArray()) {
      titled.append(inWord ? lower(Character.toString(c)) : titleCase(c));
      inWord = isCased(c);
    }
    return titled.toString();
  }

  static String swap(String text) {
    StringBuilder swapped = new StringBuilder(text.length());
    for (int c : text.codePoints().toArray()) {
      String character = Character.toString(c);
      swapped.append(Character.isUpperCase(c) ? lower(character) : upper(character));
    }
    return swapped.toString();
  }

  static boolean isLower(String text) {
    return text.codePoints().anyMatch(Character::isLowerCase)
        && text.codePoints().noneMatch(c -> Character.isUpperCase(c) || Character.isTitleCase(c));
  }

  static boolean isUpper(String text) {
    return text.codePoints().anyMatch(Character::isUpperCase)
        && text.codePoints().noneMatch(c -> Character.isLowerCase(c) || Character.isTitleCase(c));
  }

  static boolean isTitle(String text) {
    boolean any = false;
    boolean inWord = false;
    for (int c : text.codePoints().toArray()) {
      if (isCased(c)) {
        if (Character.isLowerCase(c) != inWord) {
          return false;
        }
        any = true;
      }
      inWord = isCased(c);
    }
    return any;
  }

  private static boolean isCased(int c) {
    return Character.isLowerCase(c) || Character.isUpperCase(c) || Character.isTitleCase(c);
  }

  private static String titleCase(int c) {
    int title = Character.toTitleCase(c);
    return title == c ? upper(Character.toString(c)) : Character.toString(title);
  }
}
