package dev.sluice.worker.constraint;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A place in a program: what the output may be from here on. Programs are graphs, and recursive
 * ones call rules, so that running one needs a stack ({@link Frame}).
 *
 * <p>Threading: written by the thread that compiles until {@link Program#of} has returned, then
 * immutable.
 */
abstract sealed class Node {
  /** No output leads to the end of the rule from here. */
  static final int IMPOSSIBLE = Integer.MAX_VALUE;

  /** How many calls must at least be open at once to come to the end of the rule from here. */
  int calls = IMPOSSIBLE;

  /** What {@link #calls} is by what is known of the nodes that follow. */
  abstract int minimumCalls();

  /** Reads what an automaton accepts. */
  static final class Scan extends Node {
    final Dfa dfa;
    final Node next;

    Scan(Dfa dfa, Node next) {
      this.dfa = dfa;
      this.next = next;
    }

    @Override
    int minimumCalls() {
      return next.calls;
    }
  }

  /** Goes on at any one of several places. */
  static final class Choice extends Node {
    final List<Node> options;

    Choice(List<Node> options) {
      this.options = List.copyOf(options);
    }

    @Override
    int minimumCalls() {
      return options.stream().mapToInt(option -> option.calls).min().orElse(IMPOSSIBLE);
    }
  }

  /** Goes through a rule, then on. */
  static final class Call extends Node {
    final Rule rule;
    final Node next;

    Call(Rule rule, Node next) {
      this.rule = rule;
      this.next = next;
    }

    @Override
    int minimumCalls() {
      int inside = rule.entry().calls;
      return inside == IMPOSSIBLE ? IMPOSSIBLE : Math.max(inside + 1, next.calls);
    }
  }

  /** The end of a rule. */
  static final class Return extends Node {
    @Override
    int minimumCalls() {
      return 0;
    }
  }

  /** Begins a loop: its count is 0. */
  static final class Enter extends Node {
    final Loop loop;

    Enter(Loop loop) {
      this.loop = loop;
    }

    @Override
    int minimumCalls() {
      return loop.min == 0 ? loop.exit.calls : Math.max(loop.first().calls, loop.exit.calls);
    }
  }

  /**
   * Comes after each pass of a loop: again, or on. The passes are counted in the frame, not written
   * out.
   */
  static final class Loop extends Node {
    static final int UNBOUNDED = Integer.MAX_VALUE;

    final int min;
    final int max;
    final Node exit;
    private @Nullable Node first;
    private @Nullable Node again;

    Loop(int min, int max, Node exit) {
      this.min = min;
      this.max = max;
      this.exit = exit;
    }

    /**
     * @param first the first pass
     * @param again each later pass
     */
    void setBody(Node first, Node again) {
      this.first = first;
      this.again = again;
    }

    Node first() {
      return required(first);
    }

    Node again() {
      return required(again);
    }

    @Override
    int minimumCalls() {
      return exit.calls; // a pass needs no more than the first did
    }
  }

  /** What is called by name. */
  static final class Rule {
    private @Nullable Node entry;

    void setEntry(Node entry) {
      this.entry = entry;
    }

    Node entry() {
      return required(entry);
    }
  }

  private static Node required(@Nullable Node node) {
    if (node == null) {
      throw new IllegalStateException("a program is run before it is complete");
    }
    return node;
  }
}
