package dev.sluice.common.server;

import dev.sluice.common.error.ListenException;
import dev.sluice.common.security.AccessInterceptor;
import dev.sluice.common.security.Security;
import io.grpc.BindableService;
import io.grpc.HandlerRegistry;
import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionService;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A gRPC server with what each of ours has: health (NOT_SERVING until told otherwise), reflection,
 * limits, TLS and identities if there are any, refusals told as statuses, a graceful stop.
 *
 * <p>Threading: handlers run on virtual threads, one per task, so they may block. All methods are
 * thread-safe; {@link #start} once, {@link #stop} as often as one likes.
 */
public final class GrpcServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(GrpcServer.class);

  /** Resets a client may send in a window; more is an attack (CVE-2023-44487). */
  private static final int MAX_RESETS = 500;

  private static final int RESET_WINDOW_SECONDS = 10;
  private static final Duration LAST_WORD = Duration.ofSeconds(1);

  private final ServerConfig config;
  private final Security security;
  private final HealthStatusManager health;
  private final Server server;
  private final EventLoops loops;
  private final boolean ownsLoops;
  private final ExecutorService handlers;
  private final AtomicBoolean stopping = new AtomicBoolean();

  private GrpcServer(Builder builder) {
    config = builder.config;
    health = new HealthStatusManager();
    health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, ServingStatus.NOT_SERVING);
    ownsLoops = builder.loops.isEmpty();
    loops = builder.loops.orElseGet(() -> EventLoops.create(config.eventLoops()));
    handlers =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("grpc-call-", 0).factory());
    NettyServerBuilder netty =
        NettyServerBuilder.forAddress(new InetSocketAddress(config.host(), config.port()))
            .channelFactory(EventLoops.serverChannels(config.maxConnections()))
            .bossEventLoopGroup(loops.acceptor())
            .workerEventLoopGroup(loops.io())
            .executor(handlers)
            .maxInboundMessageSize(config.maxInboundMessage().toIntExact())
            .maxInboundMetadataSize(config.maxMetadata().toIntExact())
            .maxConcurrentCallsPerConnection(config.maxConcurrentCallsPerConnection())
            .keepAliveTime(config.keepAliveTime().toMillis(), TimeUnit.MILLISECONDS)
            .keepAliveTimeout(config.keepAliveTimeout().toMillis(), TimeUnit.MILLISECONDS)
            .permitKeepAliveTime(config.permitKeepAliveTime().toMillis(), TimeUnit.MILLISECONDS)
            .permitKeepAliveWithoutCalls(true)
            .maxRstFramesPerWindow(MAX_RESETS, RESET_WINDOW_SECONDS)
            .handshakeTimeout(config.handshakeTimeout().toMillis(), TimeUnit.MILLISECONDS);
    security = builder.security;
    security.tls().ifPresent(tls -> netty.sslContext(tls.context()));
    netty.addTransportFilter(loops.marker());
    netty.addService(health.getHealthService());
    netty.addService(ProtoReflectionServiceV1.newInstance());
    netty.addService(olderReflection());
    builder.services.forEach(netty::addService);
    builder.fallback.forEach(netty::fallbackHandlerRegistry);
    // grpc calls the interceptor added last first
    security.access().ifPresent(access -> netty.intercept(new AccessInterceptor(access)));
    netty.intercept(new ErrorInterceptor());
    netty.intercept(new LogContextInterceptor());
    for (ServerInterceptor interceptor : builder.interceptors.reversed()) {
      netty.intercept(interceptor);
    }
    server = netty.build();
  }

  /** Reflection under its name of before 2023, which many tools still ask for. */
  @SuppressWarnings("deprecation")
  private static BindableService olderReflection() {
    return ProtoReflectionService.newInstance();
  }

  public static Builder builder(ServerConfig config) {
    return new Builder(config);
  }

  /**
   * Begins to listen; {@link #health} still says NOT_SERVING.
   *
   * @throws ListenException when the address cannot be had
   */
  public void start() {
    try {
      server.start();
    } catch (IOException e) {
      release();
      throw new ListenException("gRPC", config.host(), config.port(), e);
    }
    security.warnIfOpen("gRPC", config.host(), port());
  }

  /** The port it listens on, chosen by the system if the configuration says 0. */
  public int port() {
    return server.getPort();
  }

  /** Where the process says which of its services are ready; {@code ""} stands for all. */
  public HealthStatusManager health() {
    return health;
  }

  /**
   * Says NOT_SERVING for good, takes no new call, lets the running ones end within the grace, then
   * cuts them off: their callers see CANCELLED or UNAVAILABLE. Returns when everything is closed.
   */
  public void stop(Duration grace) {
    stop(grace, () -> {});
  }

  /**
   * As {@link #stop(Duration)}, with a last word for the calls that outlast the grace.
   *
   * @param abort ends running calls with a proper status; they have a second to do so
   */
  public void stop(Duration grace, Runnable abort) {
    if (stopping.compareAndSet(false, true)) {
      health.enterTerminalState();
    }
    server.shutdown();
    if (!awaitCalls(grace)) {
      log.warn("gRPC calls still run after {} ms; ending them", grace.toMillis());
      abort.run();
      awaitCalls(LAST_WORD);
    }
    release();
  }

  /** Stops with the configured grace. */
  @Override
  public void close() {
    stop(config.stopGrace());
  }

  private boolean awaitCalls(Duration time) {
    try {
      return server.awaitTermination(time.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Ends what is left: connections, handlers that block, I/O threads. */
  private void release() {
    server.shutdownNow();
    awaitCalls(LAST_WORD);
    handlers.shutdownNow();
    try {
      // before the event loops, so that a handler's last message finds them alive
      handlers.awaitTermination(LAST_WORD.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (ownsLoops) {
      loops.close();
    }
  }

  /** Collects what the server serves. */
  public static final class Builder {
    private final ServerConfig config;
    private final List<ServerServiceDefinition> services = new ArrayList<>();
    private final List<ServerInterceptor> interceptors = new ArrayList<>();
    private final List<HandlerRegistry> fallback = new ArrayList<>();
    private Optional<EventLoops> loops = Optional.empty();
    private Security security = Security.none();

    private Builder(ServerConfig config) {
      this.config = config;
    }

    public Builder service(BindableService service) {
      services.add(service.bindService());
      return this;
    }

    public Builder service(ServerServiceDefinition service) {
      services.add(service);
      return this;
    }

    /** Threads for its I/O, which stay the caller's; by default the server has its own. */
    public Builder on(EventLoops shared) {
      loops = Optional.of(shared);
      return this;
    }

    /** TLS, and who may call what; by default plain text and everybody. Stays the caller's. */
    public Builder guarded(Security security) {
      this.security = security;
      return this;
    }

    /** Handlers for methods that no service has; replaces an earlier one. */
    public Builder fallback(HandlerRegistry registry) {
      fallback.clear();
      fallback.add(registry);
      return this;
    }

    /** The first one added sees a call first; error handling and log context come after them. */
    public Builder intercept(ServerInterceptor interceptor) {
      interceptors.add(interceptor);
      return this;
    }

    public GrpcServer build() {
      return new GrpcServer(this);
    }
  }
}
