package dev.sluice.app.bench;

import java.util.List;

/**
 * What the sender saw of one request. Times in nanoseconds.
 *
 * @param due when it was to be sent, after the start; the other times count from then, so that a
 *     sender that is late does not hide what users would wait
 * @param ttft to the first message with a token; 0 if there was none
 * @param gaps between messages with tokens
 * @param e2e to the end
 * @param cachedTokens of the prompt, found in the prefix cache
 * @param failure status and reason, by which failures are counted; empty if it succeeded
 * @param detail what else is known of the failure, for people; may be empty
 */
record Outcome(
    long due,
    long ttft,
    List<Long> gaps,
    long e2e,
    int promptTokens,
    int cachedTokens,
    int outputTokens,
    String failure,
    String detail) {
  boolean completed() {
    return failure.isEmpty();
  }

  /** The failure with its detail. */
  String described() {
    return detail.isEmpty() ? failure : failure + ": " + detail;
  }

  /** Time per output token after the first one; 0 if there is no other. */
  double tpot() {
    return outputTokens > 1 ? (double) (e2e - ttft) / (outputTokens - 1) : 0;
  }
}
