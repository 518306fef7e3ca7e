package dev.sluice.client;

import dev.sluice.v1.DetokenizeRequest;
import dev.sluice.v1.DetokenizeResponse;
import dev.sluice.v1.GenerateOnceRequest;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerateResult;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.ListModelsRequest;
import dev.sluice.v1.Model;
import dev.sluice.v1.TokenizeRequest;
import dev.sluice.v1.TokenizeResponse;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptor;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * Talks to a Sluice router, or to a worker directly: both serve the same contract.
 *
 * {@snippet :
 * try (SluiceClient client = SluiceClient.create("localhost:9090");
 *     TokenStream stream = client.generate(GenerateOptions.chat("Hello!").maxTokens(64))) {
 *   for (String text : stream.texts()) {
 *     System.out.print(text);
 *   }
 * }
 * }
 *
 * <p>Methods block and are meant for virtual threads; failures are {@link SluiceException}s. A
 * deadline travels with the call: the server honours it while queued and while running.
 *
 * <p>Threading: safe for use by many threads; one connection carries all calls.
 */
public final class SluiceClient implements AutoCloseable {
  private static final Duration CLOSE_GRACE = Duration.ofSeconds(5);

  private static final Duration KEEP_ALIVE = Duration.ofSeconds(20);
  private static final Duration KEEP_ALIVE_TIMEOUT = Duration.ofSeconds(10);

  private final ManagedChannel channel;
  private final Optional<Duration> timeout;

  private SluiceClient(ManagedChannel channel, Optional<Duration> timeout) {
    this.channel = channel;
    this.timeout = timeout;
  }

  /**
   * A client of one server, without TLS.
   *
   * @param target {@code host:port} or any gRPC target such as {@code dns:///router:9090}
   */
  public static SluiceClient create(String target) {
    return builder(target).build();
  }

  /** Starts a client of one server; see {@link #create}. */
  public static Builder builder(String target) {
    return new Builder(target);
  }

  /** A client over a channel that the caller built; closing the client shuts the channel down. */
  public static SluiceClient over(ManagedChannel channel) {
    return new SluiceClient(channel, Optional.empty());
  }

  /** Options of a client. Threading: for one thread. */
  public static final class Builder {
    private final String target;
    private final List<ClientInterceptor> interceptors = new ArrayList<>();
    private Optional<Duration> timeout = Optional.empty();

    private Builder(String target) {
      this.target = target;
    }

    /** Deadline of every call that is not given its own, counted from its start. Default: none. */
    public Builder timeout(Duration timeout) {
      this.timeout = Optional.of(timeout);
      return this;
    }

    /** Adds an interceptor, for tracing or metadata. */
    public Builder intercept(ClientInterceptor interceptor) {
      interceptors.add(interceptor);
      return this;
    }

    public SluiceClient build() {
      return new SluiceClient(
          NettyChannelBuilder.forTarget(target)
              .usePlaintext()
              .intercept(interceptors)
              // A server that vanished without a word is noticed while a call waits for it.
              .keepAliveTime(KEEP_ALIVE.toNanos(), TimeUnit.NANOSECONDS)
              .keepAliveTimeout(KEEP_ALIVE_TIMEOUT.toNanos(), TimeUnit.NANOSECONDS)
              .build(),
          timeout);
    }
  }

  /** Streams the tokens of a request as they are produced. Returns at once; reading waits. */
  public TokenStream generate(GenerateRequest request) {
    return start(request, options(timeout));
  }

  /** As {@link #generate(GenerateRequest)}, with a deadline of its own. */
  public TokenStream generate(GenerateRequest request, Duration timeout) {
    return start(request, options(Optional.of(timeout)));
  }

  /** As {@link #generate(GenerateRequest)}. */
  public TokenStream generate(GenerateOptions options) {
    return generate(options.build());
  }

  /**
   * Streams to a listener; {@link TokenStream#cancel} of the returned stream ends the call. Only
   * the listener reads that stream.
   */
  public TokenStream generate(GenerateRequest request, GenerateListener listener) {
    TokenStream stream = generate(request);
    Thread.ofVirtual()
        .name("sluice-stream-" + stream.requestId())
        .start(() -> deliver(stream, listener));
    return stream;
  }

  private static void deliver(TokenStream stream, GenerateListener listener) {
    try (stream) {
      for (GenerateResponse message : stream) {
        listener.onMessage(message);
      }
    } catch (RuntimeException e) {
      listener.onFailure(e);
      return;
    }
    listener.onComplete();
  }

  private TokenStream start(GenerateRequest request, CallOptions options) {
    // Callbacks only fill a queue, so they may run on the network thread.
    return TokenStream.start(
        channel.newCall(
            GenerationServiceGrpc.getGenerateMethod(), options.withExecutor(Runnable::run)),
        named(request));
  }

  /** Waits for the complete answer. */
  public GenerateResult generateOnce(GenerateRequest request) {
    return once(request, timeout);
  }

  /** As {@link #generateOnce(GenerateRequest)}, with a deadline of its own. */
  public GenerateResult generateOnce(GenerateRequest request, Duration timeout) {
    return once(request, Optional.of(timeout));
  }

  private GenerateResult once(GenerateRequest request, Optional<Duration> timeout) {
    GenerateRequest named = named(request);
    return call(
            GenerationServiceGrpc.getGenerateOnceMethod(),
            GenerateOnceRequest.newBuilder().setRequest(named).build(),
            timeout,
            named.getRequestId())
        .getResult();
  }

  /** The tokens of a prompt, exactly as {@code Generate} would see them. */
  public TokenizeResponse tokenize(TokenizeRequest request) {
    return call(GenerationServiceGrpc.getTokenizeMethod(), request, timeout, "");
  }

  /** The text of tokens. */
  public DetokenizeResponse detokenize(DetokenizeRequest request) {
    return call(GenerationServiceGrpc.getDetokenizeMethod(), request, timeout, "");
  }

  /** The models that a request can name. */
  public List<Model> listModels() {
    return call(
            GenerationServiceGrpc.getListModelsMethod(),
            ListModelsRequest.getDefaultInstance(),
            timeout,
            "")
        .getModelsList();
  }

  /** The channel, for services that have no method here, such as health or the fleet. */
  public Channel channel() {
    return channel;
  }

  private <Q, R> R call(
      MethodDescriptor<Q, R> method, Q request, Optional<Duration> timeout, String requestId) {
    try {
      return ClientCalls.blockingUnaryCall(channel, method, options(timeout), request);
    } catch (StatusRuntimeException e) {
      throw SluiceException.of(e.getStatus(), e.getTrailers(), requestId);
    }
  }

  private static CallOptions options(Optional<Duration> timeout) {
    return timeout
        .map(t -> CallOptions.DEFAULT.withDeadlineAfter(t.toNanos(), TimeUnit.NANOSECONDS))
        .orElse(CallOptions.DEFAULT);
  }

  /** Gives the request an id if it has none, so that failures before its start have one too. */
  private static GenerateRequest named(GenerateRequest request) {
    return request.getRequestId().isEmpty()
        ? request.toBuilder().setRequestId(UUID.randomUUID().toString()).build()
        : request;
  }

  /** Cancels what still runs and closes the connection. */
  @Override
  public void close() {
    channel.shutdownNow();
    try {
      // So that the server has been told of every cancelled call when the process ends.
      channel.awaitTermination(CLOSE_GRACE.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
