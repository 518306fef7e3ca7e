package dev.sluice.worker.constraint;

import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Runs a program byte by byte on all its ways at once. Its states are found as they are needed, and
 * remembered: a byte from a known state to a known state is a look-up.
 *
 * <p>A state follows at most {@value #MAX_POINTS} ways; of more, the first. What remains is still a
 * part of what the program accepts, and can still come to its end.
 *
 * <p>Threading: any thread.
 */
final class Automaton {
  private static final int MAX_POINTS = 256;

  private final Program program;
  private final long maxBytes;
  private final boolean skipsFirstSpace;
  private volatile StateStore store;

  /**
   * @param skipsFirstSpace whether a space at the very start of the output is no part of its text
   * @param maxBytes of memory for states and masks, about
   */
  Automaton(Program program, boolean skipsFirstSpace, long maxBytes) {
    this.program = program;
    this.skipsFirstSpace = skipsFirstSpace;
    this.maxBytes = maxBytes;
    this.store = new StateStore(maxBytes);
  }

  /** [256]; class of a byte: bytes of one class lead to the same states. Not to be changed. */
  int[] classOf() {
    return program.classOf();
  }

  int classes() {
    return program.classes();
  }

  /** The state of an empty output. */
  State start() {
    StateStore current = current();
    Ways ways = new Ways();
    ways.follow(program.entry(), Frame.BOTTOM);
    State text = current.remember(ways.state(current));
    if (!skipsFirstSpace) {
      return text;
    }
    // A twin that is nobody's successor, so that it is not remembered.
    State start = new State(text.points, text.accepting, current, program.classes());
    start.next[program.classOf()[' ']] = text;
    return start;
  }

  /** The state after one more byte, 0 to 255; a dead one if the byte cannot come. */
  State next(State state, int octet) {
    int c = program.classOf()[octet];
    State next = state.next[c];
    return next != null ? next : find(state, octet, c);
  }

  /** As {@link #next}, but the result is clamped. */
  State ahead(State state, byte octet) {
    State next = next(state, octet & 0xFF);
    State known = next.clamped;
    return known != null ? known : clamped(next);
  }

  private State find(State state, int octet, int c) {
    Ways ways = new Ways();
    for (State.Point point : state.points) {
      int after = point.scan().dfa.next(point.state(), octet);
      if (after != Dfa.NONE) {
        ways.at(point.scan(), after, point.frame());
      }
    }
    State next = ways.state(state.store);
    if (!state.store.isFull()) {
      next = state.store.remember(next);
      state.next[c] = next;
    }
    return next;
  }

  /**
   * A state from which the same tokens may come: no token passes a loop more often than it has
   * bytes, so that counts which are farther from their bounds make no difference.
   */
  State clamped(State state) {
    State known = state.clamped;
    if (known != null) {
      return known;
    }
    Ways ways = new Ways();
    boolean same = true;
    for (State.Point point : state.points) {
      Frame frame = point.frame().clamped(Vocabulary.MAX_TOKEN_BYTES);
      same &= frame.equals(point.frame());
      ways.add(new State.Point(point.scan(), point.state(), frame));
    }
    ways.accepting = state.accepting;
    State clamped = same ? state : ways.state(state.store);
    if (!same && !state.store.isFull()) {
      clamped = state.store.remember(clamped);
    }
    state.clamped = clamped;
    return clamped;
  }

  /** The same state in a store that has room. */
  State renewed(State state) {
    if (!state.store.isFull()) {
      return state;
    }
    StateStore current = current();
    return current.remember(new State(state.points, state.accepting, current, program.classes()));
  }

  private StateStore current() {
    StateStore current = store;
    if (current.isFull()) {
      synchronized (this) {
        current = store;
        if (current.isFull()) {
          current = new StateStore(maxBytes);
          store = current;
        }
      }
    }
    return current;
  }

  /** Bytes that it holds, about. */
  long bytes() {
    return program.bytes() + store.bytes();
  }

  /** Gathers the points of a state. */
  private final class Ways {
    private final Set<State.Point> points = new LinkedHashSet<>();
    private boolean accepting;

    /** An automaton has come to this state. */
    void at(Node.Scan scan, int state, Frame frame) {
      if (!scan.dfa.ends()[state]) {
        add(new State.Point(scan, state, frame));
      }
      if (scan.dfa.accepts(state)) {
        follow(scan.next, frame);
      }
    }

    void add(State.Point point) {
      if (points.size() < MAX_POINTS) {
        points.add(point);
      }
    }

    /** The program has come to this node; goes on to whatever reads. */
    void follow(Node node, Frame frame) {
      if (node.calls > Program.MAX_CALLS - frame.calls || points.size() == MAX_POINTS) {
        return;
      }
      switch (node) {
        case Node.Scan scan -> at(scan, Dfa.START, frame);
        case Node.Choice choice -> {
          for (Node option : choice.options) {
            follow(option, frame);
          }
        }
        case Node.Call call -> follow(call.rule.entry(), frame.call(call.next));
        case Node.Return _ -> {
          if (frame.node == null) {
            accepting = true;
          } else {
            follow(frame.node, frame.below());
          }
        }
        case Node.Enter enter -> pass(enter.loop, frame.enter(enter.loop));
        case Node.Loop loop -> pass(loop, frame);
      }
    }

    /** A loop has made as many passes as its frame says. */
    private void pass(Node.Loop loop, Frame frame) {
      int passes = frame.count;
      if (passes < loop.max) {
        // Of a loop without end only the first passes differ.
        int more = loop.max == Node.Loop.UNBOUNDED ? Math.max(loop.min, 1) : Integer.MAX_VALUE;
        follow(
            passes == 0 ? loop.first() : loop.again(), frame.withCount(Math.min(passes + 1, more)));
      }
      if (passes >= loop.min) {
        follow(loop.exit, frame.below());
      }
    }

    State state(StateStore target) {
      return new State(points.toArray(State.Point[]::new), accepting, target, program.classes());
    }
  }
}
