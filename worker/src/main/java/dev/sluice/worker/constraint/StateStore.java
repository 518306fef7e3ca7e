package dev.sluice.worker.constraint;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The states of one constraint that are remembered, within a bound of memory. A full store
 * remembers no more; its constraint then begins a new one.
 *
 * <p>Threading: any thread.
 */
final class StateStore {
  private final ConcurrentHashMap<State, State> states = new ConcurrentHashMap<>();
  private final AtomicLong bytes = new AtomicLong();
  private final long maxBytes;

  StateStore(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /** The remembered state that equals this one, which may be this one from now on. */
  State remember(State state) {
    State known = states.putIfAbsent(state, state);
    if (known != null) {
      return known;
    }
    add(state.bytes());
    return state;
  }

  /** Something more is kept with a state. */
  void add(long more) {
    bytes.addAndGet(more);
  }

  boolean isFull() {
    return bytes.get() >= maxBytes;
  }

  long bytes() {
    return bytes.get();
  }
}
