package dev.sluice.worker.triton;

import dev.sluice.common.error.Lateness;
import dev.sluice.common.error.RefusalException;
import dev.sluice.common.fair.Backlog;
import dev.sluice.worker.engine.GenerationTask;
import dev.sluice.worker.engine.Refusals;
import java.util.Map;

/**
 * Refuses at once what does not fit the context or the queue, and what is predicted to come too
 * late.
 *
 * <p>Threading: guarded by its {@link TritonEngine}.
 */
final class TritonAdmission {
  private final int contextLength;
  private final TritonLimits limits;
  private final TritonQueue queue;
  private final WaitPredictor predictor = new WaitPredictor();

  TritonAdmission(int contextLength, TritonLimits limits, TritonQueue queue) {
    this.contextLength = contextLength;
    this.limits = limits;
    this.queue = queue;
  }

  /** Is to be told what becomes of requests. */
  WaitPredictor predictor() {
    return predictor;
  }

  /** Tokens of the prompt, estimated from its bytes where they are not known. */
  static int promptTokens(GenerationTask task) {
    return task.promptLength() > 0
        ? task.promptLength()
        : GenerationTask.estimatedTokens(task.promptText().orElse(""));
  }

  /**
   * Most output tokens of a task.
   *
   * @throws RefusalException if the context is too short
   */
  int outputLimit(GenerationTask task, int promptTokens) {
    int room = Refusals.contextRoom(task, promptTokens, contextLength);
    return task.maxTokens().orElse(room);
  }

  /**
   * Whether a task can wait, if it has to, and be expected to come in time.
   *
   * @throws RefusalException if it cannot
   */
  void check(GenerationTask task, int promptTokens, long now) {
    int waiting = queue.waitingCount();
    if ((waiting > 0 || !queue.hasPlace()) && !hasRoom(promptTokens)) {
      double half = (double) predictor.halfNanos(waiting, queue.runningCount());
      throw new RefusalException(
          Refusals.queueFull(
              promptTokens,
              waiting,
              limits.maxWaitingRequests(),
              queue.waitingTokens(),
              limits.maxWaitingTokens(),
              Lateness.retryAfter(half > 0 ? half : (double) limits.retryAfter().toNanos())));
    }
    Backlog ahead = queue.ahead(task, promptTokens);
    long ttft = predictor.ttftNanos(ahead.entries(), queue.runningCount(), limits.maxRunning());
    long target = task.ttftTargetNanos().orElse(Long.MAX_VALUE);
    if (ttft > target) {
      throw new RefusalException(Lateness.firstToken((double) ttft, (double) target, Map.of()));
    }
    long end = ttft + predictor.outputNanos();
    if (task.deadlineNanos().isPresent() && end > task.deadlineNanos().getAsLong() - now) {
      throw new RefusalException(
          Lateness.end((double) end, (double) (task.deadlineNanos().getAsLong() - now), Map.of()));
    }
  }

  private boolean hasRoom(int promptTokens) {
    int waiting = queue.waitingCount();
    return waiting < limits.maxWaitingRequests()
        && (waiting == 0 || queue.waitingTokens() + promptTokens <= limits.maxWaitingTokens());
  }
}
