package dev.sluice.worker.constraint;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/** The automaton of a closed set of texts: a trie. */
final class Literals {
  private Literals() {}

  static Dfa of(Collection<String> texts, Budget budget) {
    boolean[] used = new boolean[256];
    List<byte[]> encoded = new ArrayList<>();
    for (String text : texts) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      for (byte b : bytes) {
        used[b & 0xFF] = true;
      }
      encoded.add(bytes);
    }
    int[] classOf = new int[256];
    int classes = 1;
    for (int octet = 0; octet < 256; octet++) {
      classOf[octet] = used[octet] ? classes++ : 0;
    }
    List<int[]> rows = new ArrayList<>();
    List<Boolean> accepting = new ArrayList<>();
    addRow(rows, accepting, classes, budget);
    for (byte[] bytes : encoded) {
      int state = Dfa.START;
      for (byte b : bytes) {
        int[] row = rows.get(state);
        int c = classOf[b & 0xFF];
        if (row[c] == Dfa.NONE) {
          row[c] = rows.size();
          addRow(rows, accepting, classes, budget);
        }
        state = row[c];
      }
      accepting.set(state, true);
    }
    int[] table = new int[rows.size() * classes];
    boolean[] accepts = new boolean[rows.size()];
    for (int s = 0; s < accepts.length; s++) {
      System.arraycopy(rows.get(s), 0, table, s * classes, classes);
      accepts[s] = accepting.get(s);
    }
    return Dfa.trimmed(table, classOf, classes, accepts);
  }

  private static void addRow(
      List<int[]> rows, List<Boolean> accepting, int classes, Budget budget) {
    budget.state();
    budget.work(classes);
    int[] row = new int[classes];
    Arrays.fill(row, Dfa.NONE);
    rows.add(row);
    accepting.add(false);
  }
}
