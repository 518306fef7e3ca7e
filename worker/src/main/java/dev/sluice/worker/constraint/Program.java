package dev.sluice.worker.constraint;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A compiled constraint, before its states are known.
 *
 * @param entry where the output begins
 * @param classOf [256]; bytes of one class lead to the same places everywhere
 * @param classes number of classes
 * @param bytes that it holds, about
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Program(Node entry, int[] classOf, int classes, long bytes) {
  /** Most calls that are open at once: how deep recursive values may nest. */
  static final int MAX_CALLS = 32;

  private static final long NODE_BYTES = 48;

  /** A program of one automaton. */
  static Program of(Dfa dfa) {
    Builder builder = new Builder();
    return builder.build(builder.scan(dfa, builder.end()));
  }

  /**
   * Puts a program together, from its end to its beginning.
   *
   * <p>Threading: the thread that compiles.
   */
  static final class Builder {
    private final List<Node> nodes = new ArrayList<>();

    Node scan(Dfa dfa, Node next) {
      return add(new Node.Scan(dfa, next));
    }

    Node choice(List<Node> options) {
      return options.size() == 1 ? options.getFirst() : add(new Node.Choice(options));
    }

    Node call(Node.Rule rule, Node next) {
      return add(new Node.Call(rule, next));
    }

    Node end() {
      return add(new Node.Return());
    }

    Node enter(Node.Loop loop) {
      return add(new Node.Enter(loop));
    }

    Node.Loop loop(int min, int max, Node exit) {
      Node.Loop loop = new Node.Loop(min, max, exit);
      nodes.add(loop);
      return loop;
    }

    /**
     * @throws ConstraintException if no output of bounded nesting can come to the end
     */
    Program build(Node entry) {
      countCalls();
      if (entry.calls > MAX_CALLS) {
        throw new ConstraintException(
            "nothing can match with at most "
                + MAX_CALLS
                + " references inside each other (expected: recursion that can end)");
      }
      Map<Dfa, Integer> automata = new HashMap<>();
      int[] classOf = Explorer.classesOf(" "); // apart: a leading space may be no text
      long bytes = 0;
      for (Node node : nodes) {
        bytes += NODE_BYTES;
        if (node instanceof Node.Scan scan
            && automata.putIfAbsent(scan.dfa, automata.size()) == null) {
          classOf = Explorer.refine(classOf, scan.dfa.classOf());
          bytes += scan.dfa.bytes();
        }
      }
      int classes = 1;
      for (int c : classOf) {
        classes = Math.max(classes, c + 1);
      }
      return new Program(entry, classOf, classes, bytes);
    }

    /** Repeats until nothing changes; most nodes are behind those that they lead to. */
    private void countCalls() {
      boolean changed = true;
      while (changed) {
        changed = false;
        for (Node node : nodes) {
          int calls = node.minimumCalls();
          if (calls < node.calls) {
            node.calls = calls;
            changed = true;
          }
        }
      }
    }

    private Node add(Node node) {
      nodes.add(node);
      return node;
    }
  }
}
