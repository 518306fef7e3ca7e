package dev.sluice.router.policy;

import dev.sluice.router.fleet.WorkerView;
import dev.sluice.router.index.BlockHashes;
import java.util.Optional;

/**
 * What a request needs of a worker.
 *
 * @param model id or alias; empty for the only model there is
 * @param affinity what ties it to others
 * @param promptTokens tokens to compute if nothing is cached; 0 if nothing is computed
 * @param prompt names of the prompt's blocks; none if its tokens are not known
 * @param moved whether it was at a worker before: it then goes also where there is no room
 * @param resumes of a stream that goes on: the numerics fingerprint of the worker that began it
 * @param tried workers that it was sent to before
 */
public record Requirements(
    String model,
    Affinity affinity,
    int promptTokens,
    BlockHashes prompt,
    boolean moved,
    Optional<String> resumes,
    Tried tried) {
  /** Of a request that has not begun, and of whose prompt nothing is known. */
  public static Requirements fresh(String model, Tried tried) {
    return new Requirements(
        model, Affinity.NONE, 0, BlockHashes.NONE, false, Optional.empty(), tried);
  }

  /** Whether the worker can do what is asked; its model, state and history apart. */
  boolean capable(WorkerView worker) {
    return resumes.isEmpty()
        || worker.report().map(report -> report.capabilities().getResume()).orElse(false);
  }

  /** Whether the worker would compute the very same tokens as the one that began. */
  boolean equalNumerics(WorkerView worker) {
    return resumes.isPresent()
        && worker.report().isPresent()
        && worker.report().get().identity().getNumericsFingerprint().equals(resumes.get());
  }

  /** Whether the worker may be given more to compute. */
  boolean room(WorkerView worker) {
    return moved || worker.hasRoom(promptTokens);
  }
}
