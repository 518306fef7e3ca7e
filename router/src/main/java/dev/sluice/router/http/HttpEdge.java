package dev.sluice.router.http;

import dev.sluice.common.error.ListenException;
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
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
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
 * The HTTP server: HTTP/1.1 and HTTP/2 without TLS, on event loops of its own. Each connection
 * belongs to one of them, and so does all that its requests do but their translation, which runs on
 * virtual threads.
 *
 * <p>Threading: {@link #start}, {@link #stop} and {@link #close} from one thread.
 */
public final class HttpEdge implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(HttpEdge.class);
  private static final Duration CLOSING = Duration.ofSeconds(5);
  private static final int ANY_SHARED = -1; // Vert.x: a free port, the same for all instances
  private static final int MAX_HEADERS = 32 << 10; // bytes
  private static final int UNREAD = 64 << 10; // bytes of an answer that may wait in memory

  private final HttpConfig config;
  private final ExecutorService waiting;
  private final Vertx vertx;
  private final Routes routes;
  private final Optional<LivePage> page;
  private final List<HttpServer> servers = new CopyOnWriteArrayList<>(); // one per event loop
  private Future<Void> stopped = Future.succeededFuture();
  private Duration grace = Duration.ZERO;

  private HttpEdge(
      HttpConfig config,
      Channel generation,
      Fleet fleet,
      Telemetry telemetry,
      Clock clock,
      RandomGenerator random,
      Optional<LivePage> page) {
    this.config = config;
    this.page = page;
    waiting = Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("http-", 0).factory());
    vertx =
        Vertx.builder()
            .with(
                new VertxOptions()
                    .setPreferNativeTransport(true)
                    .setEventLoopPoolSize(config.eventLoops())
                    // nothing is ever served from files
                    .setFileSystemOptions(
                        new FileSystemOptions()
                            .setFileCachingEnabled(false)
                            .setClassPathResolvingEnabled(false)))
            .build();
    Models models =
        new Models(
            generation,
            fleet::snapshot,
            new TokenTextCache(fleet::snapshot),
            clock.instant().getEpochSecond());
    routes =
        new Routes(
            config.maxBody().toIntExact(),
            new HttpMetrics(telemetry.meter()),
            telemetry,
            models,
            new Generating(generation, new Requests(models), waiting, clock, random),
            waiting,
            page);
  }

  /**
   * Begins to listen.
   *
   * @param generation where GenerationService is reached
   * @param random makes up ids; must be thread-safe
   * @param page the live page, if it is served
   * @throws ListenException when the address cannot be had
   */
  public static HttpEdge start(
      HttpConfig config,
      Channel generation,
      Fleet fleet,
      Telemetry telemetry,
      Clock clock,
      RandomGenerator random,
      Optional<LivePage> page) {
    HttpEdge edge = new HttpEdge(config, generation, fleet, telemetry, clock, random, page);
    try {
      edge.listen();
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
      HttpServer server =
          vertx
              .createHttpServer(
                  new HttpServerOptions()
                      .setIdleTimeout(Math.toIntExact(config.idleTimeout().toSeconds()))
                      .setMaxHeaderSize(MAX_HEADERS)
                      .setHandle100ContinueAutomatically(true))
              .requestHandler(request -> {
                request.response().setWriteQueueMaxSize(UNREAD);
                routes.handle(request);
              });
      int port = config.port() == 0 ? ANY_SHARED : config.port();
      return server.listen(port, config.host()).onSuccess(servers::add);
    }
  }
}
