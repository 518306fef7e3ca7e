package dev.sluice.worker.constraint;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The automata that JSON texts are made of, each made once.
 *
 * <p>Between values there is nothing, one space, or one line break with up to {@value #MAX_INDENT}
 * spaces; so no output can get lost in white space.
 *
 * <p>Threading: the thread that compiles.
 */
final class JsonTexts {
  private static final int MAX_INDENT = 16;
  private static final String SPACE = "( |\\n {0," + MAX_INDENT + "})?";

  /** A character of a string in any of its forms, but for surrogates: these could stay unpaired. */
  private static final String CHARACTER =
      "([^\"\\\\\\x00-\\x1f]|\\\\[\"\\\\/bfnrt]"
          + "|\\\\u([0-9a-cA-Ce-fE-F][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}))";

  /** Names of members beyond those that a schema names. */
  private static final String NAME = "\"[^\"\\\\\\x00-\\x1f]{1,40}\"";

  private static final String AFTER_NAME = ": ?";

  private final Budget budget;
  private final Map<String, Dfa> patterns = new HashMap<>();
  private final Map<List<String>, Dfa> literals = new HashMap<>();
  private final Map<Numbers.Range, Dfa> numbers = new HashMap<>();

  JsonTexts(Budget budget) {
    this.budget = budget;
  }

  Dfa openObject() {
    return pattern("\\{" + SPACE);
  }

  Dfa closeObject() {
    return pattern(SPACE + "\\}");
  }

  Dfa openArray() {
    return pattern("\\[" + SPACE);
  }

  Dfa closeArray() {
    return pattern(SPACE + "\\]");
  }

  Dfa comma() {
    return pattern("," + SPACE);
  }

  Dfa quote() {
    return pattern("\"");
  }

  /** A string of any length, with its quotes. */
  Dfa string() {
    return pattern("\"" + CHARACTER + "*\"");
  }

  /** One character of a string. */
  Dfa character() {
    return pattern(CHARACTER);
  }

  /** A member's name and what follows it up to its value. */
  Dfa name(String name) {
    String text = '"' + TextEncoding.jsonContent(name) + '"';
    return literals(List.of(text + ":", text + ": "));
  }

  /** Any name of bounded length but these, and what follows it. */
  Dfa otherName(Set<String> names) {
    Dfa any = pattern(NAME + AFTER_NAME);
    if (names.isEmpty()) {
      return any;
    }
    Dfa excluded =
        literals(
            names.stream()
                .map(name -> '"' + TextEncoding.jsonContent(name) + '"')
                .flatMap(name -> List.of(name + ":", name + ": ").stream())
                .toList());
    return Products.difference(any, excluded, budget);
  }

  /** The content of a string, from after its first quote to before its last. */
  Dfa content(Regex regex, int minLength, int maxLength) {
    Dfa dfa = Determinizer.of(regex, TextEncoding.JSON, budget);
    if (minLength == 0 && maxLength == Node.Loop.UNBOUNDED) {
      return dfa;
    }
    Dfa character = Determinizer.of(new Regex.Chars(CodePoints.ALL), TextEncoding.JSON, budget);
    return Products.ofLength(dfa, character, minLength, maxLength, budget);
  }

  /** A text that is found anywhere in a string, as schemas mean it. */
  Regex found(String pattern) {
    return Regex.concat(Regex.ANY, RegexParser.parse(pattern, budget), Regex.ANY);
  }

  Dfa literals(List<String> texts) {
    Dfa known = literals.get(texts);
    if (known == null) {
      known = Literals.of(texts, budget);
      literals.put(texts, known);
    }
    return known;
  }

  Dfa number(Numbers.Range range) {
    Dfa known = numbers.get(range);
    if (known == null) {
      known = Numbers.automaton(range, budget);
      numbers.put(range, known);
    }
    return known;
  }

  /** Any number. */
  Dfa number() {
    return number(new Numbers.Range(false, Optional.empty(), Optional.empty(), Optional.empty()));
  }

  private Dfa pattern(String pattern) {
    Dfa known = patterns.get(pattern);
    if (known == null) {
      known = Determinizer.of(RegexParser.parse(pattern, budget), TextEncoding.PLAIN, budget);
      patterns.put(pattern, known);
    }
    return known;
  }
}
