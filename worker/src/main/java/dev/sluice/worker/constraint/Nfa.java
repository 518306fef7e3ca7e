package dev.sluice.worker.constraint;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A non-deterministic automaton over bytes (Thompson's construction). A node either reads one byte
 * or leads on without reading.
 *
 * <p>Threading: the thread that compiles.
 */
final class Nfa {
  /** Kinds of nodes, beside those that read. */
  enum Step {
    /** Leads to all its targets. */
    SPLIT,
    /** Leads on at the beginning of the output only. */
    BEGIN,
    /** Leads on at the end of the output only. */
    END,
    /** The output matches. */
    ACCEPT,
    /** Reads a byte. */
    READ
  }

  /**
   * @param edges of a node that reads: first byte, last byte, target, and so on; else its targets
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Node(Step step, int[] edges) {}

  private final TextEncoding encoding;
  private final Budget budget;
  private final List<Node> nodes = new ArrayList<>();
  private final Map<CodePoints, List<int[]>> sequences = new HashMap<>();
  private final int start;

  Nfa(Regex regex, TextEncoding encoding, Budget budget) {
    this.encoding = encoding;
    this.budget = budget;
    this.start = build(regex, add(Step.ACCEPT), 0);
  }

  int start() {
    return start;
  }

  int size() {
    return nodes.size();
  }

  Node node(int index) {
    return nodes.get(index);
  }

  /** Nodes that match an expression and then go on; returns the first of them. */
  private int build(Regex regex, int next, int depth) {
    budget.depth(depth);
    return switch (regex) {
      case Regex.Chars(CodePoints set) ->
          read(sequences.computeIfAbsent(set, encoding::sequences), 0, next);
      case Regex.Concat(List<Regex> parts) -> {
        int first = next;
        for (Regex part : parts.reversed()) {
          first = build(part, first, depth + 1);
        }
        yield first;
      }
      case Regex.Either(List<Regex> options) -> {
        int[] firsts = new int[options.size()];
        for (int i = 0; i < firsts.length; i++) {
          firsts[i] = build(options.get(i), next, depth + 1);
        }
        yield add(Step.SPLIT, firsts);
      }
      case Regex.Repeat(Regex body, int min, int max) -> repeat(body, min, max, next, depth);
      case Regex.Begin _ -> add(Step.BEGIN, next);
      case Regex.End _ -> add(Step.END, next);
    };
  }

  private int repeat(Regex body, int min, int max, int next, int depth) {
    int first = next;
    if (max == Regex.Repeat.UNBOUNDED) {
      int[] again = new int[2];
      first = add(Step.SPLIT, again);
      again[0] = build(body, first, depth + 1);
      again[1] = next;
    } else {
      for (int i = min; i < max; i++) {
        first = add(Step.SPLIT, build(body, first, depth + 1), next);
      }
    }
    for (int i = 0; i < min; i++) {
      first = build(body, first, depth + 1);
    }
    return first;
  }

  /** Nodes that read the rest of one of these sequences, which begin alike up to this place. */
  private int read(List<int[]> sequences, int place, int next) {
    List<Integer> edges = new ArrayList<>();
    for (int i = 0; i < sequences.size(); ) {
      int low = sequences.get(i)[2 * place];
      int high = sequences.get(i)[2 * place + 1];
      int end = i + 1;
      while (end < sequences.size() && sequences.get(end)[2 * place] == low) {
        end++;
      }
      boolean isLast = sequences.get(i).length == 2 * place + 2;
      edges.add(low);
      edges.add(high);
      edges.add(isLast ? next : read(sequences.subList(i, end), place + 1, next));
      i = end;
    }
    return add(Step.READ, edges.stream().mapToInt(Integer::intValue).toArray());
  }

  private int add(Step step, int... edges) {
    budget.node();
    nodes.add(new Node(step, edges));
    return nodes.size() - 1;
  }
}
