package dev.sluice.router.page;

import java.util.List;
import java.util.OptionalLong;

/**
 * A request that has ended: who, how much, and where the time went. Never what was asked or
 * answered.
 *
 * @param number 1, 2, 3 … in the order in which requests ended
 * @param arrivalMillis since 1970
 * @param id the caller's request id or the one made up, clipped
 * @param trace its trace id; empty if it is not traced
 * @param method rpc
 * @param model id of the model, or what the caller named if no worker was chosen
 * @param tenant clipped; empty if it was refused before that was known
 * @param status gRPC code
 * @param reason why the router refused it; empty if it did not
 * @param finish finish reasons of its choices, each once; empty if it did not come so far
 * @param promptTokens exact, or estimated where the tokens were not known; 0: unknown
 * @param cachedTokens of these, found in the prefix cache
 * @param outputTokens of an answer that is complete
 * @param prepareNanos rendering and tokenizing the prompt
 * @param waitNanos arrival to the first attempt, or to the end without one
 * @param queued whether it waited for a worker with room
 * @param routeNanos all routing decisions
 * @param candidates workers between which the last decision chose
 * @param ttftNanos arrival to the first token here
 * @param itlMeanNanos mean inter-token latency of a complete answer with two tokens or more
 * @param itlMaxNanos longest inter-token latency of it
 * @param interruptedNanos without a worker
 * @param endNanos arrival to the end
 * @param attempts in order; of very many, the first ones
 */
record RequestRecord(
    long number,
    long arrivalMillis,
    String id,
    String trace,
    String method,
    String model,
    String tenant,
    String status,
    String reason,
    String finish,
    int promptTokens,
    int cachedTokens,
    int outputTokens,
    long prepareNanos,
    long waitNanos,
    boolean queued,
    long routeNanos,
    int candidates,
    OptionalLong ttftNanos,
    OptionalLong itlMeanNanos,
    OptionalLong itlMaxNanos,
    long interruptedNanos,
    long endNanos,
    List<Attempt> attempts) {
  RequestRecord {
    attempts = List.copyOf(attempts);
  }

  /** Whether its caller did not get what it asked for, and did not hang up. */
  boolean failed() {
    return !status.equals("OK") && !status.equals("CANCELLED");
  }

  /**
   * One worker's part; all times since the request's arrival, on the router's clock.
   *
   * @param outcome answered, failed, busy, refused, lost, drained, stalled or cancelled
   * @param firstNanos its first message came
   * @param queueNanos of it, in the worker's queue, as the worker said
   * @param prefillNanos of it, prefill, as the worker said
   */
  record Attempt(
      String worker,
      String outcome,
      long startNanos,
      OptionalLong firstNanos,
      long endNanos,
      OptionalLong queueNanos,
      OptionalLong prefillNanos) {}
}
