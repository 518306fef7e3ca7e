package dev.sluice.app.bench;

import java.util.Arrays;

/** Arrays of tokens. */
final class Tokens {
  private Tokens() {}

  static int[] concat(int[] head, int[] rest) {
    int[] all = Arrays.copyOf(head, head.length + rest.length);
    System.arraycopy(rest, 0, all, head.length, rest.length);
    return all;
  }
}
