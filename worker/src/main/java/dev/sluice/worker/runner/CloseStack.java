package dev.sluice.worker.runner;

import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;

/**
 * Closes what was opened, last first; all of it even if one fails. Native memory that all may use
 * goes after them.
 *
 * <p>Threading: confined to its owner.
 */
final class CloseStack implements AutoCloseable {
  private interface Closing {
    void close();
  }

  private final Arena arena = Arena.ofShared();
  private final Deque<Closing> open = new ArrayDeque<>();

  /** Memory that lives until all is closed. */
  Arena arena() {
    return arena;
  }

  /** Takes over an object. */
  <T> T push(T resource, Consumer<? super T> close) {
    open.push(() -> close.accept(resource));
    return resource;
  }

  @Override
  public void close() {
    RuntimeException failure = null;
    while (!open.isEmpty()) {
      try {
        open.pop().close();
      } catch (RuntimeException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    arena.close();
    if (failure != null) {
      throw failure;
    }
  }
}
