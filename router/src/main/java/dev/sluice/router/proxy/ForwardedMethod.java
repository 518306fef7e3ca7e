package dev.sluice.router.proxy;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.sluice.router.admission.Demand;
import io.grpc.MethodDescriptor;
import io.opentelemetry.api.trace.Span;
import java.util.Optional;

/**
 * What the proxy must know about one rpc that it passes on. Stateless.
 *
 * @param <R> the request; responses stay bytes
 */
interface ForwardedMethod<R> {
  /** The rpc, with responses as bytes: towards the client and towards the worker. */
  MethodDescriptor<R, byte[]> descriptor();

  /** Begins the name of its spans. */
  String verb();

  /** The GenAI convention's name of what is asked for; empty if nothing is generated. */
  String operation(R request);

  /** What decides when it is served; empty if it costs nothing. Of a wrong request, something. */
  Optional<Demand> demand(R request);

  /** Validates and completes a request; throws RefusalException. */
  Prepared<R> prepare(R request, Preparation with);

  /** The request as a worker gets it. */
  R attempt(Prepared<R> prepared, Dispatch dispatch);

  /** Puts what is known of the request on its span. */
  void describe(R request, Span span);

  /**
   * The message that completes an answer, with what only the router knows added.
   *
   * @param message the last message of a stream, or the only one of a unary call
   */
  Completion complete(byte[] message, Journey journey) throws InvalidProtocolBufferException;
}
