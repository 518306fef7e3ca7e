package dev.sluice.router.kserve;

import dev.sluice.router.edge.GenerationCall;
import dev.sluice.v1.GenerateRequest;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Metadata;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/**
 * A request of the protocol, translated.
 *
 * @param request what is generated
 * @param id the client's, which every answer carries
 * @param echo text that comes before the output of each choice; empty unless the client wants it
 * @param tokenIds whether the ids of the output tokens are an output
 * @param ending whether the reason of the end is an output
 * @param counts whether numbers of tokens are outputs
 * @param emptyFinal whether a stream ends with an answer without outputs
 * @param timeoutMicros time that all of it may take
 */
record Inference(
    GenerateRequest request,
    String id,
    String echo,
    boolean tokenIds,
    boolean ending,
    boolean counts,
    boolean emptyFinal,
    OptionalLong timeoutMicros) {
  /** The model's name, as the client wrote it. */
  String name() {
    return request.getModel();
  }

  /** How many there are, 1 to 16. */
  int choices() {
    return request.getN();
  }

  /** Starts it in the context of the client's call. */
  GenerationCall start(
      Channel channel, Metadata headers, Executor executor, GenerationCall.Sink sink) {
    CallOptions options = CallOptions.DEFAULT.withExecutor(executor);
    CallOptions limited =
        timeoutMicros.isPresent()
            ? options.withDeadlineAfter(timeoutMicros.getAsLong(), TimeUnit.MICROSECONDS)
            : options;
    return GenerationCall.start(channel, limited, request, headers, sink);
  }

  /**
   * The same under the rules of its caller.
   *
   * @param rules what requests become, or RefusalException
   */
  Inference under(UnaryOperator<GenerateRequest> rules) {
    return new Inference(
        rules.apply(request), id, echo, tokenIds, ending, counts, emptyFinal, timeoutMicros);
  }
}
