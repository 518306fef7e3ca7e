package dev.sluice.worker.triton;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.common.fair.Backlog;
import dev.sluice.worker.engine.GenerationTask;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Refuses at once what does not fit the context or the queue, and what is predicted to come too
 * late.
 *
 * <p>Threading: guarded by its {@link TritonEngine}.
 */
final class TritonAdmission {
  private static final int BYTES_PER_TOKEN = 4; // about, where tokens are not known

  private final int contextLength;
  private final TritonLimits limits;
  private final WaitPredictor predictor = new WaitPredictor();

  TritonAdmission(int contextLength, TritonLimits limits) {
    this.contextLength = contextLength;
    this.limits = limits;
  }

  /** Is to be told what becomes of requests. */
  WaitPredictor predictor() {
    return predictor;
  }

  /** Tokens of the prompt, estimated from its bytes where they are not known. */
  static int promptTokens(GenerationTask task) {
    return task.promptLength() > 0
        ? task.promptLength()
        : Math.ceilDiv(
            task.promptText().orElse("").getBytes(StandardCharsets.UTF_8).length, BYTES_PER_TOKEN);
  }

  /**
   * Most output tokens of a task.
   *
   * @throws RefusalException if the context is too short
   */
  int outputLimit(GenerationTask task, int promptTokens) {
    int room = contextLength - promptTokens;
    if (room < 1) {
      throw RefusalException.invalid(
          "prompt",
          promptTokens
              + " tokens (expected: 1 to "
              + (contextLength - 1)
              + ", one less than the context of "
              + contextLength
              + ")");
    }
    if (task.maxTokens().orElse(1) > room) {
      throw RefusalException.invalid(
          "stopping.max_tokens",
          task.maxTokens().orElse(1)
              + " (expected: at most "
              + room
              + ", which the context of "
              + contextLength
              + " leaves after "
              + promptTokens
              + " prompt tokens)");
    }
    return task.maxTokens().orElse(room);
  }

  /**
   * Whether one more can wait.
   *
   * @param waiting requests that wait, with so many prompt tokens
   * @throws RefusalException if it cannot
   */
  void checkRoom(int promptTokens, int waiting, long waitingTokens, int running) {
    if (waiting < limits.maxWaitingRequests()
        && (waiting == 0 || waitingTokens + promptTokens <= limits.maxWaitingTokens())) {
      return;
    }
    throw new RefusalException(
        new Refusal.Overloaded(
            "QUEUE_FULL",
            waiting
                + " requests with "
                + waitingTokens
                + " prompt tokens wait, and this one has "
                + promptTokens
                + " (expected: at most "
                + limits.maxWaitingRequests()
                + " requests and "
                + limits.maxWaitingTokens()
                + " tokens)",
            retryAfter(predictor.halfNanos(waiting, running)),
            Map.of(
                "waiting_requests", Integer.toString(waiting),
                "max_waiting_requests", Integer.toString(limits.maxWaitingRequests()),
                "waiting_tokens", Long.toString(waitingTokens),
                "max_waiting_tokens", Long.toString(limits.maxWaitingTokens()))));
  }

  /**
   * Whether a task can be expected to come in time.
   *
   * @param ahead what is sent before it
   * @throws RefusalException if it cannot
   */
  void checkTime(GenerationTask task, Backlog ahead, int running, long now) {
    long ttft = predictor.ttftNanos(ahead.entries(), running, limits.maxRunning());
    if (task.ttftTargetNanos().isPresent() && ttft > task.ttftTargetNanos().getAsLong()) {
      throw tooLate("TTFT_TARGET", "time to first token", ttft, task.ttftTargetNanos().getAsLong());
    }
    if (task.deadlineNanos().isPresent()) {
      long end = ttft + predictor.outputNanos();
      long left = task.deadlineNanos().getAsLong() - now;
      if (end > left) {
        throw tooLate("DEADLINE", "time to the end", end, left);
      }
    }
  }

  private RefusalException tooLate(String reason, String what, long predicted, long expected) {
    String predictedMillis = Long.toString(TimeUnit.NANOSECONDS.toMillis(predicted));
    String expectedMillis = Long.toString(TimeUnit.NANOSECONDS.toMillis(expected));
    return new RefusalException(
        new Refusal.Overloaded(
            reason,
            "predicted "
                + what
                + ": "
                + predictedMillis
                + " ms (expected: at most "
                + expectedMillis
                + " ms)",
            retryAfter(predicted - expected),
            Map.of("predicted_ms", predictedMillis, "limit_ms", expectedMillis)));
  }

  private Duration retryAfter(long nanos) {
    return nanos > 0 ? Duration.ofNanos(nanos) : limits.retryAfter();
  }
}
