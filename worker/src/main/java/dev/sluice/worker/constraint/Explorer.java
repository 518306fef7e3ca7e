package dev.sluice.worker.constraint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Makes a deterministic automaton out of a rule that says where a byte leads, by following it to
 * all states there are.
 */
final class Explorer {
  /**
   * The rule.
   *
   * @param <S> a state; equal if the same
   */
  interface Rule<S> {
    /** The state after one more byte. */
    Optional<S> next(S state, int octet);

    boolean accepts(S state);
  }

  private Explorer() {}

  /**
   * @param classOf [256]; bytes of one class lead to the same states everywhere
   * @throws ConstraintException if the limits do not allow it, or nothing is accepted
   */
  static <S> Dfa explore(S start, Rule<S> rule, int[] classOf, Budget budget) {
    int classes = Arrays.stream(classOf).max().orElseThrow() + 1;
    int[] example = new int[classes];
    for (int octet = 0; octet < 256; octet++) {
      example[classOf[octet]] = octet;
    }
    List<S> states = new ArrayList<>();
    Map<S, Integer> numbers = new HashMap<>();
    List<int[]> rows = new ArrayList<>();
    states.add(start);
    numbers.put(start, 0);
    for (int s = 0; s < states.size(); s++) {
      budget.state();
      budget.work(classes);
      int[] row = new int[classes];
      for (int c = 0; c < classes; c++) {
        Optional<S> next = rule.next(states.get(s), example[c]);
        row[c] = Dfa.NONE;
        if (next.isPresent()) {
          Integer known = numbers.putIfAbsent(next.get(), states.size());
          if (known == null) {
            states.add(next.get());
          }
          row[c] = known == null ? states.size() - 1 : known;
        }
      }
      rows.add(row);
    }
    int[] table = new int[states.size() * classes];
    boolean[] accepting = new boolean[states.size()];
    for (int s = 0; s < accepting.length; s++) {
      System.arraycopy(rows.get(s), 0, table, s * classes, classes);
      accepting[s] = rule.accepts(states.get(s));
    }
    return Dfa.trimmed(table, classOf, classes, accepting);
  }

  /** Classes of these bytes, each of its own, and of all others together. */
  static int[] classesOf(String octets) {
    int[] classOf = new int[256];
    for (int i = 0; i < octets.length(); i++) {
      classOf[octets.charAt(i)] = i + 1;
    }
    return classOf;
  }

  /** The coarsest classes that are as fine as both. */
  static int[] refine(int[] a, int[] b) {
    Map<Long, Integer> numbers = new HashMap<>();
    int[] refined = new int[a.length];
    for (int i = 0; i < a.length; i++) {
      Integer number = numbers.putIfAbsent((long) a[i] << 32 | b[i], numbers.size());
      refined[i] = number == null ? numbers.size() - 1 : number;
    }
    return refined;
  }
}
