package dev.sluice.common.template;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/** Strings as Python sees them: sequences of code points, with its notion of blanks and lines. */
final class PythonText {
  private static final String LINE_ENDS = "\n\r\u000b\f\u001c\u001d\u001e\u0085\u2028\u2029";

  /** Of a text that is split. */
  private static final int MAX_PARTS = 1 << 20;

  private PythonText() {}

  /** As {@code str.isspace}. */
  static boolean isSpace(int c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
  }

  /** In code points. */
  static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  /** The code points {@code [from, to)}. */
  static String substring(String text, int from, int to) {
    int start = text.offsetByCodePoints(0, from);
    return text.substring(start, text.offsetByCodePoints(start, to - from));
  }

  static String stripStart(String text, IntPredicate strips) {
    int start = 0;
    while (start < text.length() && strips.test(text.codePointAt(start))) {
      start += Character.charCount(text.codePointAt(start));
    }
    return text.substring(start);
  }

  static String stripEnd(String text, IntPredicate strips) {
    int end = text.length();
    while (end > 0 && strips.test(text.codePointBefore(end))) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    return text.substring(0, end);
  }

  static String strip(String text, IntPredicate strips) {
    return stripEnd(stripStart(text, strips), strips);
  }

  /** The lines, with their ends if {@code keepEnds}; no empty line after the last end. */
  static List<String> splitLines(String text, boolean keepEnds) {
    List<String> lines = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      if (LINE_ENDS.indexOf(text.charAt(i)) < 0) {
        continue;
      }
      boolean two = text.charAt(i) == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n';
      int next = i + (two ? 2 : 1);
      add(lines, text.substring(start, keepEnds ? next : i));
      start = next;
      i = next - 1;
    }
    if (start < text.length()) {
      add(lines, text.substring(start));
    }
    return lines;
  }

  /** Words between blanks; the rest after {@code most} cuts is the last one. */
  static List<String> splitBlanks(String text, long most) {
    List<String> words = new ArrayList<>();
    int start = skip(text, 0, true);
    while (start < text.length()) {
      if (most >= 0 && words.size() >= most) {
        add(words, stripEnd(text.substring(start), PythonText::isSpace));
        break;
      }
      int end = skip(text, start, false);
      add(words, text.substring(start, end));
      start = skip(text, end, true);
    }
    return words;
  }

  /** As {@link #splitBlanks}, cutting from the end. */
  static List<String> splitBlanksFromEnd(String text, long most) {
    List<String> words = new ArrayList<>();
    int end = skipBack(text, text.length(), true);
    while (end > 0) {
      if (most >= 0 && words.size() >= most) {
        add(words, stripStart(text.substring(0, end), PythonText::isSpace));
        break;
      }
      int start = skipBack(text, end, false);
      add(words, text.substring(start, end));
      end = skipBack(text, start, true);
    }
    return words.reversed();
  }

  private static int skip(String text, int from, boolean blanks) {
    int at = from;
    while (at < text.length() && isSpace(text.codePointAt(at)) == blanks) {
      at += Character.charCount(text.codePointAt(at));
    }
    return at;
  }

  private static int skipBack(String text, int from, boolean blanks) {
    int at = from;
    while (at > 0 && isSpace(text.codePointBefore(at)) == blanks) {
      at -= Character.charCount(text.codePointBefore(at));
    }
    return at;
  }

  /** Parts between separators; the rest after {@code most} cuts is the last one. */
  static List<String> split(String text, String separator, long most) {
    List<String> parts = new ArrayList<>();
    int start = 0;
    int at = text.indexOf(separator);
    while (at >= 0 && (most < 0 || parts.size() < most)) {
      add(parts, text.substring(start, at));
      start = at + separator.length();
      at = text.indexOf(separator, start);
    }
    add(parts, text.substring(start));
    return parts;
  }

  /** As {@link #split}, cutting from the end. */
  static List<String> splitFromEnd(String text, String separator, long most) {
    List<String> parts = new ArrayList<>();
    int end = text.length();
    int at = text.lastIndexOf(separator);
    while (at >= 0 && (most < 0 || parts.size() < most)) {
      add(parts, text.substring(at + separator.length(), end));
      end = at;
      at = at == 0 ? -1 : text.lastIndexOf(separator, at - separator.length());
    }
    add(parts, text.substring(0, end));
    return parts.reversed();
  }

  private static void add(List<String> parts, String part) {
    if (parts.size() == MAX_PARTS) {
      throw new Failure("a text of many parts (expected: at most " + MAX_PARTS + ")");
    }
    parts.add(part);
  }

  /** How often {@code part} occurs without overlap. */
  static int count(String text, String part) {
    if (part.isEmpty()) {
      return length(text) + 1;
    }
    int count = 0;
    for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
      count++;
    }
    return count;
  }

  /** By code points, as Python orders strings. */
  static int compare(String a, String b) {
    int i = 0;
    int end = Math.min(a.length(), b.length());
    while (i < end && a.charAt(i) == b.charAt(i)) {
      i++;
    }
    if (i == end) {
      return Integer.compare(a.length(), b.length());
    }
    char left = a.charAt(i);
    char right = b.charAt(i);
    if (Character.isSurrogate(left) != Character.isSurrogate(right)) {
      return Character.isSurrogate(left) ? 1 : -1;
    }
    return Character.compare(left, right);
  }
}
