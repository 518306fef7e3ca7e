package dev.sluice.app.bench;

import java.util.ArrayList;
import java.util.List;

/** Lists of tokens. */
final class Tokens {
  private Tokens() {}

  static List<Integer> concat(List<Integer> head, List<Integer> rest) {
    List<Integer> all = new ArrayList<>(head.size() + rest.size());
    all.addAll(head);
    all.addAll(rest);
    return all;
  }
}
