package dev.sluice.worker.constraint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * A set of Unicode characters that UTF-8 can encode: no surrogates. Ranges are ascending, apart
 * from each other by at least one character.
 *
 * @param bounds first and last character of each range
 */
@SuppressWarnings("ArrayRecordComponent") // compared by content
record CodePoints(int... bounds) {
  private static final int LAST = Character.MAX_CODE_POINT;

  static final CodePoints NONE = new CodePoints();
  static final CodePoints ALL = normalized(List.of(new int[] {0, LAST}));

  static CodePoints of(int codePoint) {
    return range(codePoint, codePoint);
  }

  /** The characters from first to last, both included. */
  static CodePoints range(int first, int last) {
    return normalized(List.of(new int[] {first, last}));
  }

  /** The characters of a text. */
  static CodePoints ofText(String text) {
    List<int[]> ranges = new ArrayList<>();
    text.codePoints().forEach(c -> ranges.add(new int[] {c, c}));
    return normalized(ranges);
  }

  /** All characters with a property. */
  static CodePoints where(IntPredicate property) {
    List<int[]> ranges = new ArrayList<>();
    int first = -1;
    for (int c = 0; c <= LAST + 1; c++) {
      boolean holds = c <= LAST && property.test(c);
      if (holds && first < 0) {
        first = c;
      } else if (!holds && first >= 0) {
        ranges.add(new int[] {first, c - 1});
        first = -1;
      }
    }
    return normalized(ranges);
  }

  int ranges() {
    return bounds.length / 2;
  }

  int first(int range) {
    return bounds[2 * range];
  }

  int last(int range) {
    return bounds[2 * range + 1];
  }

  boolean isEmpty() {
    return bounds.length == 0;
  }

  boolean contains(int codePoint) {
    for (int i = 0; i < ranges(); i++) {
      if (codePoint >= first(i) && codePoint <= last(i)) {
        return true;
      }
    }
    return false;
  }

  CodePoints union(CodePoints other) {
    List<int[]> ranges = list();
    ranges.addAll(other.list());
    return normalized(ranges);
  }

  CodePoints complement() {
    List<int[]> ranges = new ArrayList<>();
    int next = 0;
    for (int[] range : list()) {
      ranges.add(new int[] {next, range[0] - 1});
      next = range[1] + 1;
    }
    ranges.add(new int[] {next, LAST});
    return normalized(ranges);
  }

  CodePoints minus(CodePoints other) {
    return complement().union(other).complement();
  }

  private List<int[]> list() {
    List<int[]> ranges = new ArrayList<>();
    for (int i = 0; i < ranges(); i++) {
      ranges.add(new int[] {first(i), last(i)});
    }
    return ranges;
  }

  /** Sorts, joins neighbours, leaves out what is empty and the surrogates. */
  private static CodePoints normalized(List<int[]> ranges) {
    List<int[]> sorted = new ArrayList<>();
    for (int[] range : ranges) {
      sorted.add(new int[] {range[0], Math.min(range[1], Character.MIN_SURROGATE - 1)});
      sorted.add(new int[] {Math.max(range[0], Character.MAX_SURROGATE + 1), range[1]});
    }
    sorted.removeIf(range -> range[0] > range[1]);
    sorted.sort((a, b) -> Integer.compare(a[0], b[0]));
    int[] bounds = new int[2 * sorted.size()];
    int size = 0;
    for (int[] range : sorted) {
      if (size > 0 && range[0] <= bounds[size - 1] + 1) {
        bounds[size - 1] = Math.max(bounds[size - 1], range[1]);
      } else {
        bounds[size++] = range[0];
        bounds[size++] = range[1];
      }
    }
    return new CodePoints(Arrays.copyOf(bounds, size));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CodePoints that && Arrays.equals(bounds, that.bounds);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bounds);
  }

  @Override
  public String toString() {
    return Arrays.toString(bounds);
  }
}
