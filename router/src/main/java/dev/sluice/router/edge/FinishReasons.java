package dev.sluice.router.edge;

import dev.sluice.v1.FinishReason;

/** Why a choice ended, in OpenAI's words. */
public final class FinishReasons {
  private FinishReasons() {}

  /** {@code stop} or {@code length}. */
  public static String name(FinishReason reason) {
    return switch (reason) {
      case FINISH_REASON_STOP_EOS,
          FINISH_REASON_STOP_STRING,
          FINISH_REASON_STOP_TOKEN,
          FINISH_REASON_CONSTRAINT_DONE,
          FINISH_REASON_UNSPECIFIED,
          UNRECOGNIZED ->
          "stop";
      // A dead end leaves its output cut short: clients must not take it for a whole one.
      case FINISH_REASON_LENGTH, FINISH_REASON_CONTEXT, FINISH_REASON_CONSTRAINT_DEAD_END ->
          "length";
    };
  }
}
