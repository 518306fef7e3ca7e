package dev.sluice.router.proxy;

import dev.sluice.common.error.Refusal;
import dev.sluice.router.policy.Selection;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** What the router says when it cannot have a request answered. */
final class Refusals {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private Refusals() {}

  /** Nobody could be chosen. */
  static Refusal of(Selection.None none) {
    return switch (none) {
      case Selection.UnknownModel(String name, List<String> known, boolean _) ->
          known.isEmpty()
              ? unavailable("NO_WORKER", "no worker is ready, and none has told its model")
              : new Refusal.NotFound(
                  "model", name, "model: \"" + name + "\" (expected: one of " + known + ")");
      case Selection.AmbiguousModel(List<String> known) ->
          new Refusal.Invalid(
              List.of(new Refusal.Violation("model", "is empty (expected: one of " + known + ")")));
      case Selection.NobodyReady(String name, boolean _) ->
          unavailable("NO_WORKER", "no worker of model " + name + " is ready");
      case Selection.NoRoom(String name, boolean _) ->
          new Refusal.Overloaded(
              "QUEUE_FULL",
              "every worker of model " + name + " has as much to compute as it allows",
              RETRY_AFTER,
              Map.of());
    };
  }

  /** Those that were chosen could not be reached. */
  static Refusal noneAnswered(Failure last, int attempts, String why) {
    return unavailable(
        "NO_WORKER",
        "no worker answered: tried "
            + attempts
            + ", "
            + why
            + "; the last, "
            + last.worker()
            + ", said "
            + last.text());
  }

  /** A part of the answer is with the client, the rest will not come. */
  static Refusal workerLost(Failure failure, long lastSequence, String why) {
    return unavailable(
        "WORKER_LOST",
        "worker "
            + failure.worker()
            + " was lost after message "
            + lastSequence
            + " of the stream ("
            + failure.text()
            + "), "
            + why);
  }

  /** Whoever takes it dies. */
  static Refusal killsWorkers(String requestId, Failure last) {
    return new Refusal.Internal(
        requestId,
        "workers die of this request; the last, " + last.worker() + ", said " + last.text(),
        "REQUEST_KILLS_WORKERS");
  }

  private static Refusal unavailable(String reason, String message) {
    return new Refusal.Unavailable(reason, message, RETRY_AFTER);
  }
}
