package dev.sluice.worker.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.sluice.common.error.RefusalException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;

/** Regular expressions against {@link Pattern}, an independent implementation. */
class RegexProperties {
  /** Bytes; Java's matcher ends, and without much of a stack. */
  private static final int MAX_WALK = 10;

  private static final String[] CHARACTERS = {
    "a", "b", "c", "B", "0", "7", " ", "_", "\n", "\"", "\\", "\u00E9", "\u20AC", "\uD83D\uDE00"
  };
  private static final String[] ATOMS = {
    "a",
    "b",
    "c",
    "0",
    "\\.",
    ".",
    "\\d",
    "\\D",
    "\\w",
    "\\W",
    "\\s",
    "[abc]",
    "[^abc]",
    "[a-c0-9]",
    "[^\\d\\s]",
    "[\\w\u00E9]",
    "\u20AC",
    "\\u00e9",
    "\\x41",
    "\\\\",
    "\\\"",
    "\\p{L}",
    "[^\\p{Lu}]",
    "\uD83D\uDE00",
    "[\u00E0-\u20AC]",
    "\\n",
    "[\\x00-\\x{10FFFF}]"
  };
  private static final String[] QUANTIFIERS = {
    "*", "+", "?", "{2}", "{0,2}", "{1,}", "{2,3}", "*?", "+?", "{0}", "{1,3}?"
  };

  @Provide
  Arbitrary<String> regexes() {
    return Arbitraries.randomValue(random -> {
      String regex = regex(random, 3);
      return switch (random.nextInt(4)) {
        case 0 -> "^(" + regex + ")$";
        case 1 -> "(^" + regex + "|b$)" + regex(random, 1);
        default -> regex;
      };
    });
  }

  private static String regex(Random random, int depth) {
    String atom = ATOMS[random.nextInt(ATOMS.length)];
    if (depth == 0) {
      return atom;
    }
    // Anchors are not repeated: Java ends a loop at its first pass without a character.
    return switch (random.nextInt(6)) {
      case 0, 1 -> atom;
      case 2 -> regex(random, depth - 1) + regex(random, depth - 1);
      case 3 -> "(" + regex(random, depth - 1) + "|" + regex(random, depth - 1) + ")";
      case 4 -> "(?:" + regex(random, depth - 1) + ")" + atom;
      default ->
          "(" + regex(random, depth - 1) + ")" + QUANTIFIERS[random.nextInt(QUANTIFIERS.length)];
    };
  }

  @Provide
  Arbitrary<String> texts() {
    return Arbitraries.of(CHARACTERS).list().ofMaxSize(7).map(list -> String.join("", list));
  }

  @Property(tries = 600)
  void aTextMatchesIfJavaSaysSo(
      @ForAll("regexes") String regex,
      @ForAll @Size(10) List<@From("texts") String> texts,
      @ForAll Random random) {
    Pattern java = Pattern.compile(regex.replace("$", "\\z"));
    Budget budget = new Budget(CompileLimits.defaults(), () -> false);
    Dfa dfa;
    try {
      dfa = Determinizer.of(RegexParser.parse(regex, budget), TextEncoding.PLAIN, budget);
    } catch (ConstraintException e) {
      if (String.valueOf(e.getMessage()).startsWith("nothing can match")) {
        texts.forEach(text -> assertThat(java.matcher(text).matches()).isFalse());
      } else {
        assertThat(e.getMessage()).contains("more than");
      }
      return;
    }
    for (String text : texts) {
      assertThat(dfa.matches(text.getBytes(StandardCharsets.UTF_8)))
          .as("%s on '%s'", regex, text)
          .isEqualTo(java.matcher(text).matches());
    }
    for (int i = 0; i < 5; i++) {
      String text = walk(dfa, random);
      assertThat(java.matcher(text).matches())
          .as("%s on '%s'", regex, text)
          .isEqualTo(dfa.matches(text.getBytes(StandardCharsets.UTF_8)));
    }
  }

  /** A random text that the automaton accepts, or the beginning of one that is long. */
  private static String walk(Dfa dfa, Random random) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int state = Dfa.START;
    while (bytes.size() < MAX_WALK
        && (!dfa.accepts(state) || (bytes.size() < 8 && random.nextInt(3) > 0))) {
      int octet = random.nextInt(256);
      int tried = 0;
      while (tried < 256 && dfa.next(state, octet) == Dfa.NONE) {
        octet = (octet + 1) % 256;
        tried++;
      }
      if (tried == 256) {
        break;
      }
      bytes.write(octet);
      state = dfa.next(state, octet);
    }
    // the beginning of a character at the end is left out
    return bytes.toString(StandardCharsets.UTF_8).replace("\uFFFD", "");
  }

  @Example
  void whatIsNotRegularIsRefusedByName() {
    assertRefused("(?=a)b", "lookahead");
    assertRefused("(?!a)b", "lookahead");
    assertRefused("(?<=a)b", "lookbehind");
    assertRefused("(?<!a)b", "lookbehind");
    assertRefused("(a)\\1", "backreference");
    assertRefused("(?<x>a)\\k<x>", "backreference");
    assertRefused("\\bword\\b", "word boundary");
    assertRefused("a*+", "possessive");
    assertRefused("(?>a)", "atomic");
    assertRefused("(?i)a", "inline flags");
    assertRefused("[a&&b]", "intersection");
    assertRefused("(a", "a missing )");
    assertRefused("a)", "unmatched )");
    assertRefused("[a", "unexpected end");
    assertRefused("a{3,2}", "3 to 2");
    assertRefused("*a", "nothing to repeat", "without anything to repeat");
    assertRefused("\\p{Greek}", "expected one of");
    assertRefused("a\\", "unexpected end");
    assertRefused("a^b", "nothing can match");
  }

  private static void assertRefused(String regex, String... reasons) {
    assertThatExceptionOfType(RefusalException.class)
        .isThrownBy(() -> TestVocabulary.compile(new ConstraintSource.Regex(regex)))
        .satisfies(e -> assertThat(e.getMessage()).startsWith("constraint.regex: "))
        .satisfies(e -> assertThat(reasons).anyMatch(String.valueOf(e.getMessage())::contains));
  }
}
