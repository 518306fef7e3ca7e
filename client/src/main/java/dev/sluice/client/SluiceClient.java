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
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

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
 * <p>With several routers, {@code SluiceClient.create("router-1:9090,router-2:9090")}, a stream
 * outlives the router that it began at: see {@link RetryPolicy}.
 *
 * <p>Methods block and are meant for virtual threads; failures are {@link SluiceException}s. A
 * deadline travels with the call: the server honours it while queued and while running.
 *
 * <p>Threading: safe for use by many threads; one connection to each router carries all calls.
 */
public final class SluiceClient implements AutoCloseable {
  private static final Duration KEEP_ALIVE = Duration.ofSeconds(20);
  private static final Duration KEEP_ALIVE_TIMEOUT = Duration.ofSeconds(10);

  private final Endpoints endpoints;
  private final Optional<Duration> timeout;
  private final RetryPolicy retry;

  private SluiceClient(Endpoints endpoints, Optional<Duration> timeout, RetryPolicy retry) {
    this.endpoints = endpoints;
    this.timeout = timeout;
    this.retry = retry;
  }

  /**
   * A client without TLS and without a key; {@link #builder} has both.
   *
   * @param targets one router or several, separated by commas, each {@code host:port} or any gRPC
   *     target such as {@code dns:///router:9090}; calls go round among those that answer
   */
  public static SluiceClient create(String targets) {
    return builder(targets).build();
  }

  /** Starts a client; see {@link #create}. */
  public static Builder builder(String targets) {
    return new Builder(targets);
  }

  /** A client over a channel that the caller built; closing the client shuts the channel down. */
  public static SluiceClient over(ManagedChannel channel) {
    return new SluiceClient(
        new Endpoints(List.of(channel)), Optional.empty(), RetryPolicy.DEFAULTS);
  }

  /** Options of a client. Threading: for one thread. */
  public static final class Builder {
    private final List<String> targets;
    private final List<ClientInterceptor> interceptors = new ArrayList<>();
    private Optional<Duration> timeout = Optional.empty();

    private final TlsChannelCredentials.Builder tls = TlsChannelCredentials.newBuilder();
    private Optional<String> serverName = Optional.empty();
    private boolean credentials; // whether by TLS

    private RetryPolicy retry = RetryPolicy.DEFAULTS;

    private Builder(String targets) {
      this.targets = Arrays.stream(targets.split(",", -1)).map(String::strip).toList();
      if (this.targets.contains("")) {
        throw new IllegalArgumentException(
            "targets: \"" + targets + "\" (expected: host:port, or several with commas between)");
      }
    }

    /** Deadline of every call that is not given its own, counted from its start. Default: none. */
    public Builder timeout(Duration timeout) {
      this.timeout = Optional.of(timeout);
      return this;
    }

    /** What is done when a router is lost or busy. Default: {@link RetryPolicy#DEFAULTS}. */
    public Builder retry(RetryPolicy retry) {
      this.retry = retry;
      return this;
    }

    /** Connects by TLS and trusts the system's authorities. */
    public Builder tls() {
      credentials = true;
      return this;
    }

    /**
     * Connects by TLS.
     *
     * @param authorities PEM file with those that may have signed the server's certificate
     * @throws IOException if it cannot be read
     */
    public Builder tls(Path authorities) throws IOException {
      return with(b -> b.trustManager(authorities.toFile()));
    }

    /**
     * Connects by TLS and shows a certificate.
     *
     * @param chain PEM file, the client's own certificate first
     * @param privateKey its key, PKCS#8 in PEM, not encrypted
     * @throws IOException if one cannot be read
     */
    public Builder clientCertificate(Path chain, Path privateKey) throws IOException {
      return with(b -> b.keyManager(chain.toFile(), privateKey.toFile()));
    }

    /** Name that the server's certificate must have. Default: the host of the target. */
    public Builder serverName(String name) {
      serverName = Optional.of(name);
      return this;
    }

    /**
     * Shows a key or a token with every call.
     *
     * @param bearer asked for each call, so that it may change
     */
    public Builder key(Supplier<String> bearer) {
      interceptors.add(new Bearer(bearer));
      return this;
    }

    private Builder with(Setting setting) throws IOException {
      setting.apply(tls);
      credentials = true;
      return this;
    }

    private interface Setting {
      void apply(TlsChannelCredentials.Builder tls) throws IOException;
    }

    /** Adds an interceptor, for tracing or metadata. */
    public Builder intercept(ClientInterceptor interceptor) {
      interceptors.add(interceptor);
      return this;
    }

    public SluiceClient build() {
      return new SluiceClient(
          new Endpoints(targets.stream().map(this::connect).toList()), timeout, retry);
    }

    private ManagedChannel connect(String target) {
      NettyChannelBuilder channel =
          NettyChannelBuilder.forTarget(
              target, credentials ? tls.build() : InsecureChannelCredentials.create());
      serverName.ifPresent(channel::overrideAuthority);
      return channel
          .intercept(interceptors)
          .disableRetry() // the client does it itself, and goes on where a stream broke off
          // A server that vanished without a word is noticed while a call waits for it.
          .keepAliveTime(KEEP_ALIVE.toNanos(), TimeUnit.NANOSECONDS)
          .keepAliveTimeout(KEEP_ALIVE_TIMEOUT.toNanos(), TimeUnit.NANOSECONDS)
          .build();
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
        endpoints, named(request), options.withExecutor(Runnable::run), recovery());
  }

  private Recovery recovery() {
    return new Recovery(
        retry, endpoints.count(), System::nanoTime, () -> ThreadLocalRandom.current().nextDouble());
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

  /**
   * A channel for services that have no method here, such as health or the fleet: each call goes to
   * one target, and is not made again.
   */
  public Channel channel() {
    return endpoints.channel();
  }

  private <Q, R> R call(
      MethodDescriptor<Q, R> method, Q request, Optional<Duration> timeout, String requestId) {
    return UnaryCall.blocking(endpoints, method, options(timeout), request, requestId, recovery());
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

  /** Cancels what still runs and closes the connections. */
  @Override
  public void close() {
    endpoints.close();
  }
}
