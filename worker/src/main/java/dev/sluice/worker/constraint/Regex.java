package dev.sluice.worker.constraint;

import java.util.List;

/** A regular expression over characters, as a tree. */
sealed interface Regex {
  /** Any text. */
  Regex ANY = new Repeat(new Chars(CodePoints.ALL), 0, Repeat.UNBOUNDED);

  /** One character of a set; nothing matches if the set is empty. */
  record Chars(CodePoints set) implements Regex {}

  /** One after the other; without parts, the empty text. */
  record Concat(List<Regex> parts) implements Regex {
    public Concat {
      parts = List.copyOf(parts);
    }
  }

  /** One of several. */
  record Either(List<Regex> options) implements Regex {
    public Either {
      options = List.copyOf(options);
    }
  }

  /** {@code min} to {@code max} times in a row. */
  record Repeat(Regex body, int min, int max) implements Regex {
    static final int UNBOUNDED = Integer.MAX_VALUE;
  }

  /** The empty text at the beginning of the output. */
  record Begin() implements Regex {}

  /** The empty text at the end of the output. */
  record End() implements Regex {}

  static Regex concat(Regex... parts) {
    return new Concat(List.of(parts));
  }

  /** A text as it is. */
  static Regex text(String text) {
    return new Concat(
        text.codePoints().mapToObj(c -> (Regex) new Chars(CodePoints.of(c))).toList());
  }
}
