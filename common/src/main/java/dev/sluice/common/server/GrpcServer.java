package dev.sluice.common.server;

import dev.sluice.common.error.ListenException;
import io.grpc.BindableService;
import io.grpc.HandlerRegistry;
import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A gRPC server with what each of ours has: health (NOT_SERVING until told otherwise), reflection,
 * limits, refusals told as statuses, a graceful stop.
 *
 * <p>Threading: handlers run on virtual threads, one per task, so they may block. {@link #start}
 * and {@link #stop} are for one thread; {@link #health} is thread-safe.
 */
public final class GrpcServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(GrpcServer.class);

  /** Resets a client may send in a window; more is an attack (CVE-2023-44487). */
  private static final int MAX_RESETS = 500;

  private static final int RESET_WINDOW_SECONDS = 10;

  private final ServerConfig config;
  private final HealthStatusManager health;
  private final Server server;
  private final EventLoopGroup acceptor;
  private final EventLoopGroup eventLoops;
  private final ExecutorService handlers;

  private GrpcServer(Builder builder) {
    config = builder.config;
    health = new HealthStatusManager();
    health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, ServingStatus.NOT_SERVING);
    acceptor = Transport.eventLoops(1, "grpc-accept");
    eventLoops = Transport.eventLoops(config.eventLoops(), "grpc-io");
    handlers =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("grpc-call-", 0).factory());
    NettyServerBuilder netty =
        NettyServerBuilder.forAddress(new InetSocketAddress(config.host(), config.port()))
            .channelType(Transport.serverChannel())
            .bossEventLoopGroup(acceptor)
            .workerEventLoopGroup(eventLoops)
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
    netty.addService(health.getHealthService());
    netty.addService(ProtoReflectionServiceV1.newInstance());
    builder.services.forEach(netty::addService);
    builder.fallback.forEach(netty::fallbackHandlerRegistry);
    // grpc calls the interceptor added last first
    netty.intercept(new ErrorInterceptor());
    netty.intercept(new LogContextInterceptor());
    for (ServerInterceptor interceptor : builder.interceptors.reversed()) {
      netty.intercept(interceptor);
    }
    server = netty.build();
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
      close(Duration.ZERO);
      throw new ListenException("gRPC", config.host(), config.port(), e);
    }
    if (!new InetSocketAddress(config.host(), 0).getAddress().isLoopbackAddress()) {
      log.warn(
          "gRPC listens on {}:{} without authentication: anybody who can reach it can use it",
          config.host(),
          port());
    }
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
   * ends them with UNAVAILABLE. Returns when everything is closed.
   */
  public void stop(Duration grace) {
    health.enterTerminalState();
    server.shutdown();
    close(grace);
  }

  /** Stops with the configured grace. */
  @Override
  public void close() {
    stop(config.stopGrace());
  }

  private void close(Duration grace) {
    try {
      if (!server.awaitTermination(grace.toMillis(), TimeUnit.MILLISECONDS)) {
        log.warn("calls still run after {} ms; ending them", grace.toMillis());
        server.shutdownNow();
        server.awaitTermination(5, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      server.shutdownNow();
      Thread.currentThread().interrupt();
    }
    handlers.shutdown();
    acceptor.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    eventLoops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }

  /** Collects what the server serves. */
  public static final class Builder {
    private final ServerConfig config;
    private final List<ServerServiceDefinition> services = new ArrayList<>();
    private final List<ServerInterceptor> interceptors = new ArrayList<>();
    private final List<HandlerRegistry> fallback = new ArrayList<>();

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
