package dev.sluice.worker.constraint;

import dev.sluice.worker.constraint.State.Mask;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What outputs must conform to, compiled for one vocabulary. Shared by all requests with the same
 * constraint.
 *
 * <p>Threading: any thread. What becomes known of its states is remembered within a bound.
 */
public final class Constraint {
  private final Automaton automaton;
  private final Vocabulary vocabulary;

  /**
   * @param maxBytes of memory for states and masks, about
   */
  Constraint(Program program, Vocabulary vocabulary, long maxBytes) {
    this.vocabulary = vocabulary;
    this.automaton = new Automaton(program, vocabulary.stripsFirstSpace(), maxBytes);
  }

  /** The state of an output that has not begun. */
  public ConstraintState start() {
    return new ConstraintState(this, automaton.start());
  }

  /** Words of a mask: 64 tokens each. */
  public int maskWords() {
    return vocabulary.words();
  }

  /** The state after one more token; a dead one if the token cannot come. */
  State next(State state, int token) {
    State next = state;
    for (byte octet : vocabulary.bytes(token)) {
      next = automaton.next(next, octet & 0xFF);
      if (next.isDead()) {
        return next;
      }
    }
    return automaton.renewed(next);
  }

  boolean isText(int token) {
    return vocabulary.bytes(token).length > 0;
  }

  /** The tokens that may come next, found once for a state; not to be changed. */
  long[] allowed(State state) {
    return allowed(state, null);
  }

  private long[] allowed(State state, @Nullable Consumer<State> visit) {
    Mask known = state.mask;
    if (known != null) {
      return known.words();
    }
    State clamped = automaton.clamped(state);
    Mask mask = clamped.mask;
    if (mask == null) {
      mask = new Mask(vocabulary.allowed(automaton, clamped, visit));
      clamped.store.add(8L * mask.words().length + 32);
      clamped.mask = mask;
    }
    state.mask = mask;
    return mask.words();
  }

  /**
   * Finds the masks of states that may come soon, so that they need not be found while others wait.
   *
   * @param count of masks, at most
   * @param goOn asked after each one
   */
  void prepare(int count, BooleanSupplier goOn) {
    Set<State> met = Collections.newSetFromMap(new IdentityHashMap<>());
    ArrayDeque<State> open = new ArrayDeque<>();
    open.add(automaton.start());
    int found = 0;
    while (!open.isEmpty()
        && found < count
        && !open.getFirst().store.isFull()
        && goOn.getAsBoolean()) {
      State state = open.removeFirst();
      long[] _ =
          allowed(
              state,
              next -> {
                if (met.size() < 4 * count && met.add(next)) {
                  open.addLast(next);
                }
              });
      found++;
    }
  }

  /** Bytes that it holds, about. */
  long bytes() {
    return automaton.bytes();
  }
}
