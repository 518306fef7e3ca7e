package dev.sluice.worker.engine;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import java.time.Duration;
import java.util.Map;

/** What every engine says to requests that it does not take, or does not bring to their end. */
public final class Refusals {
  private Refusals() {}

  /**
   * The engine takes no requests.
   *
   * @param state not {@link EngineSnapshot.State#SERVING}
   */
  public static Refusal notServing(EngineSnapshot.State state, Duration retryAfter) {
    String message =
        switch (state) {
          case SERVING -> throw new IllegalStateException("serving");
          case DRAINING -> "the worker is draining";
          case STOPPED -> "the worker has stopped";
          case FAILED -> "the engine has failed";
        };
    String reason = state == EngineSnapshot.State.FAILED ? "ENGINE_FAILED" : state.name();
    return new Refusal.Unavailable(reason, message, retryAfter);
  }

  /** A request found the queue full. */
  public static Refusal queueFull(
      int tokens,
      int waitingRequests,
      int maxWaitingRequests,
      long waitingTokens,
      long maxWaitingTokens,
      Duration retryAfter) {
    return new Refusal.Overloaded(
        "QUEUE_FULL",
        waitingRequests
            + " requests with "
            + waitingTokens
            + " prompt tokens wait, and this one has "
            + tokens
            + " (expected: at most "
            + maxWaitingRequests
            + " requests and "
            + maxWaitingTokens
            + " tokens)",
        retryAfter,
        Map.of(
            "waiting_requests", Integer.toString(waitingRequests),
            "max_waiting_requests", Integer.toString(maxWaitingRequests),
            "waiting_tokens", Long.toString(waitingTokens),
            "max_waiting_tokens", Long.toString(maxWaitingTokens)));
  }

  /**
   * Lets nothing pass whose time is over already.
   *
   * @throws RefusalException if the task's is
   */
  public static void checkDeadline(GenerationTask task, long nowNanos) {
    if (task.deadlineNanos().isPresent() && task.deadlineNanos().getAsLong() - nowNanos <= 0) {
      throw new RefusalException(
          new Refusal.DeadlineExceeded("the deadline had passed when the request arrived"));
    }
  }

  /**
   * Output tokens that fit the context behind a prompt.
   *
   * @throws RefusalException if there are none, or fewer than the task asks for
   */
  public static int contextRoom(GenerationTask task, int promptTokens, int contextLength) {
    int room = contextLength - promptTokens;
    if (promptTokens < 1 || room < 1) {
      throw RefusalException.invalid(
          "prompt",
          promptTokens
              + " tokens (expected: 1 to "
              + (contextLength - 1)
              + ", one less than the context of "
              + contextLength
              + ")");
    }
    int asked = task.maxTokens().orElse(1);
    if (asked > room) {
      throw RefusalException.invalid(
          "stopping.max_tokens",
          asked
              + " (expected: at most "
              + room
              + ", which the context of "
              + contextLength
              + " leaves after "
              + promptTokens
              + " prompt tokens)");
    }
    return room;
  }

  /**
   * A request's deadline has passed.
   *
   * @param begun whether anything was computed for it
   */
  public static Refusal expired(boolean begun, int outputTokens) {
    return new Refusal.DeadlineExceeded(
        "the deadline passed "
            + (begun ? "after " + outputTokens + " output tokens" : "while the request waited"));
  }

  /** The caller wants no more. */
  public static Refusal cancelled() {
    return new Refusal.Cancelled("the caller has cancelled the request");
  }

  /** The time is over that requests had to end while the worker drains. */
  public static Refusal drained(Duration retryAfter) {
    return new Refusal.Unavailable(
        "DRAINING", "the worker ended before the request did", retryAfter);
  }

  /** A request's listener has thrown something. */
  public static Refusal listenerFailed(String requestId) {
    return new Refusal.Internal(requestId, "the receiver of the tokens failed");
  }
}
