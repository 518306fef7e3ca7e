package dev.sluice.worker.constraint;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes a non-deterministic automaton deterministic (subset construction): a state is the set of
 * nodes in which it may be.
 *
 * <p>Threading: the thread that compiles.
 */
final class Determinizer {
  /** A set of nodes, ascending, to be looked up. */
  @SuppressWarnings("ArrayRecordComponent") // compared by content
  private record NodeSet(int[] nodes) {
    @Override
    public boolean equals(Object other) {
      return other instanceof NodeSet that && Arrays.equals(nodes, that.nodes);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(nodes);
    }
  }

  private final Nfa nfa;
  private final Budget budget;
  private final int[] classOf = new int[256];
  private final int classes;

  private final Map<NodeSet, Integer> stateOfTargets = new HashMap<>();
  private final Map<NodeSet, Integer> stateOfReaders = new HashMap<>(); // and whether it accepts
  private final List<int[]> readers = new ArrayList<>(); // [states]; nodes that read
  private final List<Boolean> accepting = new ArrayList<>(); // [states]
  private final List<int[]> rows = new ArrayList<>(); // [states][classes]

  private final int[] seen; // [nodes]; number of the walk that met it last
  private int walk;
  private final ArrayDeque<Integer> open = new ArrayDeque<>();

  private Determinizer(Nfa nfa, Budget budget) {
    this.nfa = nfa;
    this.budget = budget;
    this.classes = fillClasses();
    this.seen = new int[nfa.size()];
  }

  /**
   * @throws ConstraintException if the limits do not allow it, or nothing matches
   */
  static Dfa of(Regex regex, TextEncoding encoding, Budget budget) {
    return new Determinizer(new Nfa(regex, encoding, budget), budget).run();
  }

  private int fillClasses() {
    boolean[] begins = new boolean[257];
    for (int i = 0; i < nfa.size(); i++) {
      Nfa.Node node = nfa.node(i);
      if (node.step() == Nfa.Step.READ) {
        for (int e = 0; e < node.edges().length; e += 3) {
          begins[node.edges()[e]] = true;
          begins[node.edges()[e + 1] + 1] = true;
        }
      }
    }
    int current = 0;
    for (int b = 0; b < 256; b++) {
      current += b > 0 && begins[b] ? 1 : 0;
      classOf[b] = current;
    }
    return current + 1;
  }

  private Dfa run() {
    int _ = state(new int[] {nfa.start()}, true);
    for (int s = 0; s < readers.size(); s++) {
      rows.add(row(readers.get(s)));
    }
    int[] table = new int[rows.size() * classes];
    boolean[] accepts = new boolean[rows.size()];
    for (int s = 0; s < accepts.length; s++) {
      System.arraycopy(rows.get(s), 0, table, s * classes, classes);
      accepts[s] = accepting.get(s);
    }
    return Dfa.trimmed(table, classOf, classes, accepts);
  }

  private int[] row(int[] nodes) {
    int[][] targets = new int[classes][];
    int[] counts = new int[classes];
    for (int index : nodes) {
      int[] edges = nfa.node(index).edges();
      for (int e = 0; e < edges.length; e += 3) {
        int last = classOf[edges[e + 1]];
        for (int c = classOf[edges[e]]; c <= last; c++) {
          int[] list = targets[c] == null ? new int[4] : targets[c];
          if (counts[c] == list.length) {
            list = Arrays.copyOf(list, 2 * list.length);
          }
          list[counts[c]++] = edges[e + 2];
          targets[c] = list;
          budget.work(1);
        }
      }
    }
    int[] row = new int[classes];
    for (int c = 0; c < classes; c++) {
      row[c] = counts[c] == 0 ? Dfa.NONE : state(Arrays.copyOf(targets[c], counts[c]), false);
    }
    return row;
  }

  /** The state of being at these nodes and wherever they lead without reading. */
  private int state(int[] targets, boolean atBegin) {
    NodeSet key = new NodeSet(targets);
    Integer known = atBegin ? null : stateOfTargets.get(key);
    if (known != null) {
      return known;
    }
    int[] reading = closure(targets, atBegin);
    boolean accepts = reachesEnd(targets, atBegin);
    int[] marked = Arrays.copyOf(reading, reading.length + 1);
    marked[reading.length] = accepts ? 1 : 0;
    int state =
        stateOfReaders.computeIfAbsent(
            new NodeSet(marked),
            _ -> {
              budget.state();
              readers.add(reading);
              accepting.add(accepts);
              return readers.size() - 1;
            });
    if (!atBegin) {
      stateOfTargets.put(key, state);
    }
    return state;
  }

  /** The nodes that read next if something is read. */
  private int[] closure(int[] targets, boolean atBegin) {
    int[] found = new int[8];
    int count = 0;
    begin(targets);
    while (!open.isEmpty()) {
      int index = open.pop();
      Nfa.Node node = nfa.node(index);
      switch (node.step()) {
        case SPLIT -> push(node.edges());
        case BEGIN -> {
          if (atBegin) {
            push(node.edges());
          }
        }
        case READ -> {
          found = count == found.length ? Arrays.copyOf(found, 2 * count) : found;
          found[count++] = index;
        }
        case END, ACCEPT -> {}
      }
    }
    int[] nodes = Arrays.copyOf(found, count);
    Arrays.sort(nodes);
    return nodes;
  }

  /** Whether the output may end here. */
  private boolean reachesEnd(int[] targets, boolean atBegin) {
    begin(targets);
    while (!open.isEmpty()) {
      Nfa.Node node = nfa.node(open.pop());
      switch (node.step()) {
        case SPLIT, END -> push(node.edges());
        case BEGIN -> {
          if (atBegin) {
            push(node.edges());
          }
        }
        case READ -> {}
        case ACCEPT -> {
          return true;
        }
      }
    }
    return false;
  }

  private void begin(int[] targets) {
    walk++;
    open.clear();
    push(targets);
  }

  private void push(int[] targets) {
    budget.work(targets.length);
    for (int target : targets) {
      if (seen[target] != walk) {
        seen[target] = walk;
        open.push(target);
      }
    }
  }
}
