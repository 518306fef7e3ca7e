package dev.sluice.router.http;

import dev.sluice.common.error.ListenException;
import dev.sluice.common.security.Security;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.router.edge.TokenTextCache;
import dev.sluice.router.fleet.Fleet;
import dev.sluice.router.page.LivePage;
import io.grpc.Channel;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.KeyCertOptions;
import io.vertx.core.net.TrustOptions;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP server: HTTP/1.1 and HTTP/2, with TLS if the router has it, on event loops of its own.
 * Each connection belongs to one of them, and so does all that its requests do but their
 * translation, which runs on virtual threads.
 *
 * <p>Threading: {@link #start}, {@link #stop} and {@link #close} from one thread.
 */
public final class HttpEdge implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(HttpEdge.class);
  private static final Duration CLOSING = Duration.ofSeconds(5);
  private static final int ANY_SHARED = -1; // Vert.x: a free port, the same for all instances
  private static final int MAX_HEADERS = 32 << 10; // bytes
  private static final int MAX_STREAMS = 100; // of one HTTP/2 connection
  private static final int MAX_RESETS = 500; // of one connection in a window: CVE-2023-44487
  private static final int RESET_WINDOW_SECONDS = 10;
  private static final int UNREAD = 64 << 10; // bytes of an answer that may wait in memory

  private final HttpConfig config;
  private final ExecutorService waiting;
  private final Vertx vertx;
  private final Routes routes;
  private final Optional<LivePage> page;
  private final Security security;
  private final HttpAccess access;
  private final List<HttpServer> servers = new CopyOnWriteArrayList<>(); // one per event loop
  private Future<Void> stopped = Future.succeededFuture();
  private Duration grace = Duration.ZERO;

  private HttpEdge(
      HttpConfig config,
      Security security,
      Channel generation,
      Fleet fleet,
      Telemetry telemetry,
      Clock clock,
      RandomGenerator random,
      Optional<LivePage> page) {
    this.config = config;
    this.page = page;
    this.security = security;
    waiting = Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("http-", 0).factory());
    vertx =
        Vertx.builder()
            .with(
                new VertxOptions()
                    .setEventLoopPoolSize(config.eventLoops())
                    // nothing is ever served from files
                    .setFileSystemOptions(
                        new FileSystemOptions()
                            .setFileCachingEnabled(false)
                            .setClassPathResolvingEnabled(false)))
            .withTransport(GuardedTransport.of(config, security.tls().isPresent()))
            .build();
    Models models =
        new Models(
            generation,
            fleet::snapshot,
            new TokenTextCache(fleet::snapshot),
            clock.instant().getEpochSecond());
    HttpMetrics metrics = new HttpMetrics(telemetry.meter());
    access = new HttpAccess(security, metrics);
    routes =
        new Routes(
            config.maxBody().toIntExact(),
            metrics,
            telemetry,
            models,
            new Generating(generation, new Requests(models), waiting, clock, random),
            waiting,
            page);
  }

  /**
   * Begins to listen.
   *
   * @param security TLS, and who may call
   * @param generation where GenerationService is reached
   * @param random makes up ids; must be thread-safe
   * @param page the live page, if it is served
   * @throws ListenException when the address cannot be had
   */
  public static HttpEdge start(
      HttpConfig config,
      Security security,
      Channel generation,
      Fleet fleet,
      Telemetry telemetry,
      Clock clock,
      RandomGenerator random,
      Optional<LivePage> page) {
    HttpEdge edge =
        new HttpEdge(config, security, generation, fleet, telemetry, clock, random, page);
    try {
      edge.listen();
      security.warnIfOpen("HTTP", config.host(), edge.port());
      return edge;
    } catch (RuntimeException e) {
      edge.close();
      throw e;
    }
  }

  private void listen() {
    try {
      await(
          vertx.deployVerticle(
              Listener::new, new DeploymentOptions().setInstances(config.eventLoops())),
          CLOSING);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      throw new ListenException(
          "HTTP",
          config.host(),
          config.port(),
          cause instanceof IOException io ? io : new IOException(cause));
    } catch (TimeoutException e) {
      throw new ListenException("HTTP", config.host(), config.port(), new IOException(e));
    }
  }

  /** The port it listens on, chosen by the system if the configuration says 0. */
  public int port() {
    return servers.getFirst().actualPort();
  }

  /**
   * Takes no more connections; requests that run have until {@code limit} to end. Does not wait.
   */
  public void stop(Duration limit) {
    grace = limit;
    page.ifPresent(LivePage::endStreams);
    stopped =
        Future.all(
                servers.stream()
                    .map(server -> server.shutdown(limit.toMillis(), TimeUnit.MILLISECONDS))
                    .toList())
            .mapEmpty();
  }

  /** Waits for {@link #stop}, if it was called, and cuts off what is left. */
  @Override
  public void close() {
    try {
      await(stopped, grace.plus(CLOSING));
    } catch (ExecutionException | TimeoutException e) {
      log.warn("HTTP requests did not end in time", e);
    }
    try {
      await(vertx.close(), CLOSING);
    } catch (ExecutionException | TimeoutException e) {
      log.warn("the HTTP server did not close in time", e);
    }
    waiting.shutdownNow();
  }

  private static <T> void await(Future<T> future, Duration limit)
      throws ExecutionException, TimeoutException {
    try {
      future.toCompletionStage().toCompletableFuture().get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** One event loop's share of the connections. */
  private final class Listener extends VerticleBase {
    @Override
    public Future<?> start() {
      ConnectionLimits limits = new ConnectionLimits(config, vertx);
      HttpServer server =
          vertx
              .createHttpServer(options())
              .connectionHandler(limits::opened)
              .requestHandler(request -> {
                limits.begins(request);
                request.response().setWriteQueueMaxSize(UNREAD);
                access.admit(request).ifPresent(rules -> routes.handle(request, rules));
              });
      int port = config.port() == 0 ? ANY_SHARED : config.port();
      return server.listen(port, config.host()).onSuccess(servers::add);
    }

    private HttpServerOptions options() {
      HttpServerOptions options =
          new HttpServerOptions()
              .setIdleTimeout(Math.toIntExact(config.idleTimeout().toSeconds()))
              .setMaxHeaderSize(MAX_HEADERS)
              .setInitialSettings(
                  new Http2Settings()
                      .setMaxConcurrentStreams(MAX_STREAMS)
                      .setMaxHeaderListSize(MAX_HEADERS))
              .setHttp2RstFloodMaxRstFramePerWindow(MAX_RESETS)
              .setHttp2RstFloodWindowDuration(RESET_WINDOW_SECONDS)
              .setHandle100ContinueAutomatically(true);
      security
          .tls()
          .ifPresent(tls -> {
            options
                .setSsl(true)
                .setUseAlpn(true)
                .setKeyCertOptions(KeyCertOptions.wrap(tls.keyManager()));
            tls.clients()
                .ifPresent(clients ->
                    options
                        .setTrustOptions(TrustOptions.wrap(clients))
                        .setClientAuth(
                            tls.clientsMust() ? ClientAuth.REQUIRED : ClientAuth.REQUEST));
          });
      return options;
    }
  }
}
