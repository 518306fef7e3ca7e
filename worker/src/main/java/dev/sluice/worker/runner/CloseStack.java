package dev.sluice.worker.runner;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Closes what was opened, last first; all of it even if one fails.
 *
 * <p>Threading: confined to its owner.
 */
final class CloseStack implements AutoCloseable {
  private interface Closing {
    void close();
  }

  private final Deque<Closing> open = new ArrayDeque<>();

  /** Takes over an object. */
  <T extends AutoCloseable> T push(T resource, java.util.function.Consumer<? super T> close) {
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
    if (failure != null) {
      throw failure;
    }
  }
}
