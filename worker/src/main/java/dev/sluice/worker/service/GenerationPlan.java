package dev.sluice.worker.service;

import dev.sluice.worker.engine.BeamParams;
import dev.sluice.worker.sampling.SamplingParams;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A request after validation: what the engine and the stream need to know, defaults filled in.
 *
 * @param requestId the caller's, or one made up
 * @param tenant on whose account it runs
 * @param cacheSalt only requests with the same one share cached prefixes
 * @param prompt where the tokens come from
 * @param sampling how tokens are chosen
 * @param choices number of choices
 * @param beam beam search instead of sampling
 * @param outputLogprobs if present, log-probabilities of the output, with so many of the likeliest
 * @param promptLogprobs likewise of the prompt
 * @param maxTokens most output tokens; empty: what fits
 * @param minTokens least output tokens before a stop
 * @param stop stop strings
 * @param stopTokenIds tokens that end the output
 * @param includeStop whether the stop's text is output
 * @param ignoreEos whether the end-of-sequence token is an ordinary one
 * @param attempt number of the attempt, from 1
 * @param admissionWaitNanos time in the router's queue
 * @param resume what the client has already, if the stream began on another worker
 * @param urgency how soon it wants to be served
 */
record GenerationPlan(
    String requestId,
    String tenant,
    String cacheSalt,
    PromptSource prompt,
    SamplingParams sampling,
    int choices,
    Optional<BeamParams> beam,
    OptionalInt outputLogprobs,
    OptionalInt promptLogprobs,
    OptionalInt maxTokens,
    int minTokens,
    List<String> stop,
    List<Integer> stopTokenIds,
    boolean includeStop,
    boolean ignoreEos,
    int attempt,
    long admissionWaitNanos,
    Optional<ResumePoint> resume,
    Urgency urgency) {
  GenerationPlan {
    stop = List.copyOf(stop);
    stopTokenIds = List.copyOf(stopTokenIds);
  }

  /**
   * Where generation goes on. A beam search sends nothing before its end, so it is run again; what
   * the client has of it is not sent again.
   */
  Optional<ResumePoint> progress() {
    return beam.isPresent() ? Optional.empty() : resume;
  }
}
