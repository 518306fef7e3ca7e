package dev.sluice.worker.constraint;

import java.util.Arrays;
import java.util.IdentityHashMap;

/**
 * The states of one automaton that one walk over a vocabulary meets, numbered, so that most of the
 * walk reads arrays of numbers.
 *
 * <p>Threading: one thread, for one walk.
 */
final class MaskWalk {
  /** Nothing goes on there. */
  static final int DEAD = -1;

  private static final int UNKNOWN = -2;

  /** The walk's first state. */
  static final int START = 0;

  private final Automaton automaton;
  private final int[] classOf; // [256]
  private final int classes;
  private final IdentityHashMap<State, Integer> numbers = new IdentityHashMap<>();
  private State[] states = new State[32];
  private int[] weights = new int[32];
  private long[] loops = new long[32];
  private boolean[] loopsKnown = new boolean[32];
  private int[] table; // [states, classes]; number of the next state
  private int size;

  MaskWalk(Automaton automaton, State start) {
    this.automaton = automaton;
    this.classOf = automaton.classOf();
    this.classes = automaton.classes();
    this.table = new int[32 * classes];
    add(start);
  }

  /** The state after one more byte, or {@link #DEAD}. */
  int next(int state, byte octet) {
    int next = table[state * classes + classOf[octet & 0xFF]];
    return next == UNKNOWN ? find(state, octet) : next;
  }

  private int find(int state, byte octet) {
    State found = automaton.ahead(states[state], octet);
    int next = DEAD;
    if (!found.isDead()) {
      Integer known = numbers.get(found);
      next = known == null ? add(found) : known;
    }
    table[state * classes + classOf[octet & 0xFF]] = next;
    return next;
  }

  private int add(State state) {
    if (size == states.length) {
      states = Arrays.copyOf(states, 2 * size);
      weights = Arrays.copyOf(weights, 2 * size);
      loops = Arrays.copyOf(loops, 2 * size);
      loopsKnown = Arrays.copyOf(loopsKnown, 2 * size);
      table = Arrays.copyOf(table, 2 * size * classes);
    }
    Arrays.fill(table, size * classes, (size + 1) * classes, UNKNOWN);
    states[size] = state;
    weights[size] = state.weight;
    numbers.put(state, size);
    return size++;
  }

  /** How much there is to follow. */
  int weight(int state) {
    return weights[state];
  }

  State state(int state) {
    return states[state];
  }

  /** Groups of bytes each of which leads from the state to itself. */
  long loops(int state) {
    if (!loopsKnown[state]) {
      long groups = -1L;
      for (int octet = 0; octet < 256; octet++) {
        if (next(state, (byte) octet) != state) {
          groups &= ~(1L << ByteGroups.of((byte) octet));
        }
      }
      loops[state] = groups;
      loopsKnown[state] = true;
    }
    return loops[state];
  }
}
