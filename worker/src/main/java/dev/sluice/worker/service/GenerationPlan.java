package dev.sluice.worker.service;

import java.util.List;
import java.util.OptionalInt;

/**
 * A request after validation: what the engine and the stream need to know, defaults filled in.
 *
 * @param requestId the caller's, or one made up
 * @param tenant on whose account it runs
 * @param prompt where the tokens come from
 * @param temperature 0 is greedy
 * @param topK 0 keeps all
 * @param topP 1 keeps all
 * @param seed fixes the randomness
 * @param maxTokens most output tokens; empty: what fits
 * @param minTokens least output tokens before a stop
 * @param stop stop strings
 * @param stopTokenIds tokens that end the output
 * @param includeStop whether the stop's text is output
 * @param ignoreEos whether the end-of-sequence token is an ordinary one
 * @param attempt number of the attempt, from 1
 * @param admissionWaitNanos time in the router's queue
 * @param urgency how soon it wants to be served
 */
record GenerationPlan(
    String requestId,
    String tenant,
    PromptSource prompt,
    float temperature,
    int topK,
    float topP,
    long seed,
    OptionalInt maxTokens,
    int minTokens,
    List<String> stop,
    List<Integer> stopTokenIds,
    boolean includeStop,
    boolean ignoreEos,
    int attempt,
    long admissionWaitNanos,
    Urgency urgency) {
  GenerationPlan {
    stop = List.copyOf(stop);
    stopTokenIds = List.copyOf(stopTokenIds);
  }
}
