package dev.sluice.worker.engine;

import dev.sluice.common.error.RefusalException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Runs generation tasks: an {@link Engine} of this process, or somebody else's that this process
 * stands before.
 *
 * <p>Threading: every method can be called by any thread and none but {@link #close} blocks.
 */
public interface GenerationEngine {
  /** Begins to work on tasks; those submitted earlier have waited. */
  void start();

  /**
   * Takes a task. The listener will get exactly one of {@code onComplete} and {@code onFailed}.
   *
   * @throws RefusalException if it cannot be served, now or ever; the listener hears nothing
   */
  TaskHandle submit(GenerationTask task, GenerationListener listener);

  /** Ends a task as failed; nothing happens if it has ended. */
  void cancel(TaskHandle handle);

  /**
   * Completes a choice of a task; nothing happens if it has ended. With its last choice the task is
   * complete.
   *
   * @param choice from 0
   * @param keptTokens output tokens that count; the listener may have got, and may still get, later
   *     ones
   */
  void stop(TaskHandle handle, int choice, int keptTokens);

  /** Whether it keeps output to what a task's constraint says. */
  boolean obeysConstraints();

  /** Takes no new tasks; what has not ended after this time fails with UNAVAILABLE. */
  void drain(Duration grace);

  /** Takes tasks again. */
  void undrain();

  /**
   * Drains and ends.
   *
   * @return whether it has ended; false if it hangs for longer than the grace time
   */
  boolean close(Duration grace) throws InterruptedException;

  /** Changes to the set of blocks that later requests can find. */
  CacheJournal cacheJournal();

  /** The set of blocks that later requests can find; never complete once the engine has ended. */
  CompletableFuture<CacheContent> cacheContent();

  /**
   * The ids of the requests that decode: each should have produced a token lately. Never complete
   * once the engine has ended.
   */
  CompletableFuture<List<String>> decodingRequestIds();

  /** The state now. */
  EngineSnapshot snapshot();
}
