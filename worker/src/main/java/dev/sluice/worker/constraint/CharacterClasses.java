package dev.sluice.worker.constraint;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The classes that have a name in regular expressions. Where dialects (ECMA-262, Java) differ, the
 * output shall please both: a class is what all of them include, and a class that is left out is
 * what any of them includes.
 *
 * <p>Threading: any thread.
 */
final class CharacterClasses {
  static final CodePoints DIGIT = CodePoints.range('0', '9');
  static final CodePoints WORD =
      DIGIT
          .union(CodePoints.range('a', 'z'))
          .union(CodePoints.range('A', 'Z'))
          .union(CodePoints.of('_'));
  static final CodePoints SPACE = CodePoints.ofText(" \t\n\u000B\f\r");

  /** As {@link #SPACE}, with what only ECMA-262 includes. */
  static final CodePoints ANY_SPACE =
      SPACE.union(
          CodePoints.ofText("\u00A0\u1680\u2028\u2029\u202F\u205F\u3000\uFEFF")
              .union(CodePoints.range(0x2000, 0x200A)));

  /** What {@code .} matches. */
  static final CodePoints DOT = CodePoints.ofText("\n\r\u0085\u2028\u2029").complement();

  /** Unicode's general categories, as {@link Character#getType} numbers them. */
  private static final Map<String, int[]> CATEGORIES =
      Map.ofEntries(
          Map.entry("Lu", new int[] {Character.UPPERCASE_LETTER}),
          Map.entry("Ll", new int[] {Character.LOWERCASE_LETTER}),
          Map.entry("Lt", new int[] {Character.TITLECASE_LETTER}),
          Map.entry("Lm", new int[] {Character.MODIFIER_LETTER}),
          Map.entry("Lo", new int[] {Character.OTHER_LETTER}),
          Map.entry("L", new int[] {1, 2, 3, 4, 5}),
          Map.entry("M", new int[] {6, 7, 8}),
          Map.entry("Nd", new int[] {Character.DECIMAL_DIGIT_NUMBER}),
          Map.entry("Nl", new int[] {Character.LETTER_NUMBER}),
          Map.entry("No", new int[] {Character.OTHER_NUMBER}),
          Map.entry("N", new int[] {9, 10, 11}),
          Map.entry("P", new int[] {20, 21, 22, 23, 24, 29, 30}),
          Map.entry("S", new int[] {25, 26, 27, 28}),
          Map.entry("Sc", new int[] {Character.CURRENCY_SYMBOL}),
          Map.entry("Sm", new int[] {Character.MATH_SYMBOL}),
          Map.entry("Zs", new int[] {Character.SPACE_SEPARATOR}),
          Map.entry("Z", new int[] {12, 13, 14}));

  private static final Map<String, CodePoints> SETS = new ConcurrentHashMap<>();

  private CharacterClasses() {}

  /** The set of {@code \p{name}}, if it is known. */
  static Optional<CodePoints> category(String name) {
    int[] types = CATEGORIES.get(name);
    if (types == null) {
      return Optional.empty();
    }
    return Optional.of(
        SETS.computeIfAbsent(
            name,
            _ ->
                CodePoints.where(c -> {
                  int type = Character.getType(c);
                  for (int t : types) {
                    if (t == type) {
                      return true;
                    }
                  }
                  return false;
                })));
  }

  /** Names that {@link #category} knows, for messages. */
  static String categories() {
    return String.join(", ", CATEGORIES.keySet().stream().sorted().toList());
  }
}
