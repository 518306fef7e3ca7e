package dev.sluice.worker.constraint;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** How characters of a text become bytes of the output. */
enum TextEncoding {
  /** As UTF-8. */
  PLAIN {
    @Override
    List<int[]> sequences(CodePoints set) {
      return Utf8Ranges.of(set);
    }
  },

  /**
   * As UTF-8 inside a JSON string. Each character has one form, its shortest, so that automata of
   * texts stay small.
   */
  JSON {
    @Override
    List<int[]> sequences(CodePoints set) {
      List<int[]> sequences = new ArrayList<>();
      for (int c = 0; c <= '\\'; c++) {
        if (ESCAPED.contains(c) && set.contains(c)) {
          byte[] bytes = escape(c).getBytes(StandardCharsets.US_ASCII);
          int[] sequence = new int[2 * bytes.length];
          for (int i = 0; i < bytes.length; i++) {
            sequence[2 * i] = bytes[i];
            sequence[2 * i + 1] = bytes[i];
          }
          sequences.add(sequence);
        }
      }
      sequences.sort(Arrays::compare);
      sequences.addAll(Utf8Ranges.of(set.minus(ESCAPED)));
      return sequences;
    }
  };

  /** What cannot stand for itself in a JSON string. */
  private static final CodePoints ESCAPED =
      CodePoints.range(0, 0x1F).union(CodePoints.ofText("\"\\"));

  /**
   * Sequences of byte ranges, as of {@link Utf8Ranges}; ranges at the same place of two sequences
   * with the same beginning are equal or apart.
   */
  abstract List<int[]> sequences(CodePoints set);

  /** A text as the content of a JSON string. */
  static String jsonContent(String text) {
    StringBuilder content = new StringBuilder();
    text.codePoints()
        .forEach(c -> {
          if (ESCAPED.contains(c)) {
            content.append(escape(c));
          } else {
            content.appendCodePoint(c);
          }
        });
    return content.toString();
  }

  private static String escape(int c) {
    return switch (c) {
      case '"' -> "\\\"";
      case '\\' -> "\\\\";
      case '\b' -> "\\b";
      case '\f' -> "\\f";
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      default -> "\\u%04x".formatted(c);
    };
  }
}
