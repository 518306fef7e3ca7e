package dev.sluice.worker.constraint;

import java.util.Arrays;

/**
 * A deterministic automaton over bytes. From every state an accepting one can be reached.
 *
 * @param table [states, classes]; next state, negative if there is none
 * @param classOf [256]; class of a byte: bytes of one class lead to the same states everywhere
 * @param classes number of classes
 * @param accepting [states]
 * @param ends [states]; whether no byte leads on from it
 */
@SuppressWarnings("ArrayRecordComponent") // compared by content
record Dfa(int[] table, int[] classOf, int classes, boolean[] accepting, boolean[] ends) {
  static final int NONE = -1;
  static final int START = 0;

  int states() {
    return accepting.length;
  }

  /** The state after one more byte, 0 to 255; {@link #NONE} if it cannot come. */
  int next(int state, int octet) {
    return table[state * classes + classOf[octet]];
  }

  boolean accepts(int state) {
    return accepting[state];
  }

  /** Whether the whole text is accepted. */
  boolean matches(byte[] text) {
    int state = START;
    for (byte b : text) {
      state = next(state, b & 0xFF);
      if (state == NONE) {
        return false;
      }
    }
    return accepting[state];
  }

  /**
   * Makes an automaton without the states from which no accepting one can be reached.
   *
   * @throws ConstraintException if nothing is accepted
   */
  static Dfa trimmed(int[] table, int[] classOf, int classes, boolean[] accepting) {
    int states = accepting.length;
    boolean[] live = live(table, classes, accepting);
    if (states == 0 || !live[START]) {
      throw new ConstraintException("nothing can match (expected: at least one text that does)");
    }
    int[] renumbered = new int[states];
    int kept = 0;
    for (int s = 0; s < states; s++) {
      renumbered[s] = live[s] ? kept++ : NONE;
    }
    int[] rows = new int[kept * classes];
    boolean[] accepts = new boolean[kept];
    boolean[] ends = new boolean[kept];
    for (int s = 0; s < states; s++) {
      if (live[s]) {
        int row = renumbered[s];
        accepts[row] = accepting[s];
        ends[row] = true;
        for (int c = 0; c < classes; c++) {
          int target = table[s * classes + c];
          int to = target == NONE ? NONE : renumbered[target];
          rows[row * classes + c] = to;
          ends[row] &= to == NONE;
        }
      }
    }
    return new Dfa(rows, classOf, classes, accepts, ends);
  }

  /** The states from which an accepting one can be reached. */
  private static boolean[] live(int[] table, int classes, boolean[] accepting) {
    int states = accepting.length;
    int[] begins = new int[states + 1]; // of each state's predecessors
    for (int target : table) {
      if (target != NONE) {
        begins[target + 1]++;
      }
    }
    for (int s = 0; s < states; s++) {
      begins[s + 1] += begins[s];
    }
    int[] predecessors = new int[begins[states]];
    int[] filled = begins.clone();
    for (int i = 0; i < table.length; i++) {
      if (table[i] != NONE) {
        predecessors[filled[table[i]]++] = i / classes;
      }
    }
    boolean[] live = accepting.clone();
    int[] stack = new int[states];
    int size = 0;
    for (int s = 0; s < states; s++) {
      if (accepting[s]) {
        stack[size++] = s;
      }
    }
    while (size > 0) {
      int s = stack[--size];
      for (int i = begins[s]; i < begins[s + 1]; i++) {
        if (!live[predecessors[i]]) {
          live[predecessors[i]] = true;
          stack[size++] = predecessors[i];
        }
      }
    }
    return live;
  }

  /** Bytes that it holds. */
  long bytes() {
    return 4L * table.length + 4L * classOf.length + 2L * accepting.length + 64;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Dfa that
        && Arrays.equals(table, that.table)
        && Arrays.equals(classOf, that.classOf)
        && Arrays.equals(accepting, that.accepting);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(table);
  }

  @Override
  public String toString() {
    return states() + " states, " + classes + " classes of bytes";
  }
}
