package dev.sluice.worker.constraint;

import dev.sluice.common.error.RefusalException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * A constraint on its way.
 *
 * <p>Threading: any thread.
 */
public final class Compilation {
  private final CompletableFuture<Constraint> result = new CompletableFuture<>();

  Compilation() {}

  /**
   * Waits for the constraint.
   *
   * @throws RefusalException if it cannot be compiled
   * @throws CancellationException if it was cancelled
   */
  public Constraint await() {
    try {
      return result.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw e;
    }
  }

  /** Gives it up: whoever waits returns at once, and the work on it ends soon. */
  public void cancel() {
    boolean _ = result.cancel(false);
  }

  boolean isOver() {
    return result.isDone();
  }

  void complete(Constraint constraint) {
    boolean _ = result.complete(constraint);
  }

  void fail(Throwable cause) {
    boolean _ = result.completeExceptionally(cause);
  }
}
