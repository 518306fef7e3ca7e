package dev.sluice.router.kserve;

import dev.sluice.v1.GenerateRequest;
import java.util.OptionalLong;

/**
 * A request of the protocol, translated.
 *
 * @param request what is generated
 * @param name of the model, as the client wrote it
 * @param id the client's, which every answer carries
 * @param echo text that comes before the output of each choice; empty unless the client wants it
 * @param choices 1 to 16
 * @param tokenIds whether the ids of the output tokens are an output
 * @param ending whether the reason of the end is an output
 * @param counts whether numbers of tokens are outputs
 * @param emptyFinal whether a stream ends with an answer without outputs
 * @param timeoutMicros time that all of it may take
 */
record Inference(
    GenerateRequest request,
    String name,
    String id,
    String echo,
    int choices,
    boolean tokenIds,
    boolean ending,
    boolean counts,
    boolean emptyFinal,
    OptionalLong timeoutMicros) {
  /** The same with another request. */
  Inference with(GenerateRequest other) {
    return new Inference(
        other, name, id, echo, choices, tokenIds, ending, counts, emptyFinal, timeoutMicros);
  }
}
