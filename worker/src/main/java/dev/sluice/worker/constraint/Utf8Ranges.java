package dev.sluice.worker.constraint;

import java.util.ArrayList;
import java.util.List;

/**
 * Splits a set of characters into sequences of byte ranges: a character is in the set if and only
 * if its UTF-8 bytes lie in one of the sequences. Ranges at the same place of two sequences with
 * the same beginning are equal or apart (Russ Cox: Regular Expression Matching in the Wild, 2010).
 */
final class Utf8Ranges {
  /** Largest character of 1, 2, 3 and 4 bytes. */
  private static final int[] LAST_OF_LENGTH = {0x7F, 0x7FF, 0xFFFF, Character.MAX_CODE_POINT};

  private Utf8Ranges() {}

  /**
   * The sequences of a set.
   *
   * @return sequences in ascending order, each of first and last byte, first and last byte, …
   */
  static List<int[]> of(CodePoints set) {
    List<int[]> sequences = new ArrayList<>();
    for (int i = 0; i < set.ranges(); i++) {
      split(set.first(i), set.last(i), sequences);
    }
    return sequences;
  }

  private static void split(int first, int last, List<int[]> sequences) {
    int length = length(first);
    if (length != length(last)) {
      int end = LAST_OF_LENGTH[length - 1];
      split(first, end, sequences);
      split(end + 1, last, sequences);
      return;
    }
    // Trailing bytes must run from their lowest to their highest value, or the bytes before be
    // equal.
    for (int i = 1; i < length; i++) {
      int low = (1 << (6 * i)) - 1;
      if ((first & ~low) != (last & ~low)) {
        if ((first & low) != 0) {
          split(first, first | low, sequences);
          split((first | low) + 1, last, sequences);
          return;
        }
        if ((last & low) != low) {
          split(first, (last & ~low) - 1, sequences);
          split(last & ~low, last, sequences);
          return;
        }
      }
    }
    int[] sequence = new int[2 * length];
    for (int i = 0; i < length; i++) {
      sequence[2 * i] = unit(first, length, i);
      sequence[2 * i + 1] = unit(last, length, i);
    }
    sequences.add(sequence);
  }

  private static int length(int codePoint) {
    return codePoint <= 0x7F ? 1 : codePoint <= 0x7FF ? 2 : codePoint <= 0xFFFF ? 3 : 4;
  }

  /** Byte number {@code index} of a character of so many bytes. */
  private static int unit(int codePoint, int length, int index) {
    int bits = codePoint >>> (6 * (length - 1 - index));
    if (index > 0) {
      return 0x80 | (bits & 0x3F);
    }
    return length == 1 ? bits : ((0xF00 >>> length) & 0xFF) | bits;
  }
}
