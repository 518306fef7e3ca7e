package dev.sluice.router;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.security.ClientTls;
import dev.sluice.common.security.Identity;
import dev.sluice.common.security.Security;
import dev.sluice.common.security.SecurityFileException;
import dev.sluice.common.server.AdminServer;
import dev.sluice.common.server.EventLoops;
import dev.sluice.common.server.GrpcServer;
import dev.sluice.common.server.Lifecycle;
import dev.sluice.common.server.PortFile;
import dev.sluice.common.telemetry.Metrics;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.router.admission.Admission;
import dev.sluice.router.edge.LocalGeneration;
import dev.sluice.router.fleet.Discoveries;
import dev.sluice.router.fleet.Fleet;
import dev.sluice.router.fleet.FleetLoop;
import dev.sluice.router.fleet.FleetThread;
import dev.sluice.router.fleet.WorkerChannels;
import dev.sluice.router.fleet.WorkerSource;
import dev.sluice.router.http.HttpEdge;
import dev.sluice.router.index.PrefixIndex;
import dev.sluice.router.kserve.InferenceService;
import dev.sluice.router.page.LivePage;
import dev.sluice.router.page.RequestLog;
import dev.sluice.router.policy.Policies;
import dev.sluice.router.policy.Selector;
import dev.sluice.router.prompt.Prompts;
import dev.sluice.router.prompt.Tokenizers;
import dev.sluice.router.proxy.Proxy;
import dev.sluice.router.service.FleetGrpcService;
import dev.sluice.router.service.FleetHealth;
import dev.sluice.router.service.GenerationServiceDefinition;
import io.grpc.ClientInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A router process, put together: the only place that knows all parts.
 *
 * <p>Threading: one thread starts and closes it.
 */
public final class RouterMain implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RouterMain.class);

  /** After the grace, for open calls to be told and connections to be closed. */
  private static final Duration CLOSING = Duration.ofSeconds(10);

  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final RouterConfig config;
  private final Lifecycle lifecycle;
  private final Fleet fleet;
  private final Tokenizers tokenizers;
  private final Admission admission;
  private final RequestLog requests;
  private final Proxy proxy;
  private final GrpcServer server;
  private final Telemetry telemetry;
  private final Security security;
  private final SecureRandom random = new SecureRandom();
  private final LocalGeneration local; // the edges' way in
  private Optional<HttpEdge> http = Optional.empty();

  /**
   * Builds and starts everything; when this returns, clients can connect.
   *
   * @throws dev.sluice.common.error.ListenException when a port cannot be had
   * @throws IOException when the port file cannot be written
   * @throws dev.sluice.common.security.SecurityFileException if a key or certificate cannot be used
   */
  public static RouterMain start(RouterConfig config) throws IOException {
    return start(config, Telemetry.start("sluice-router", config.telemetry()));
  }

  /** As above, with telemetry that somebody set up; it is closed with the router. */
  static RouterMain start(RouterConfig config, Telemetry telemetry) throws IOException {
    return start(config, telemetry, new FleetThread());
  }

  /** As above, with time and the fleet's thread given, too. */
  static RouterMain start(RouterConfig config, Telemetry telemetry, FleetLoop loop)
      throws IOException {
    RouterMain router;
    try {
      router = new RouterMain(config, telemetry, loop, Guard.of(config));
    } catch (SecurityFileException e) {
      telemetry.close();
      loop.close();
      throw e;
    }
    try {
      router.open();
      return router;
    } catch (IOException | RuntimeException e) {
      router.close();
      throw e;
    }
  }

  /** Everything that is read from files with keys and certificates. */
  private record Guard(
      Security security, ClientTls workersTls, List<ClientInterceptor> workersKey) {
    static Guard of(RouterConfig config) {
      Security security = Security.start(config.tls(), config.auth());
      try {
        return new Guard(
            security,
            security.client("workers-tls", config.workersTls()),
            security.key("workers-key", config.workersKey()));
      } catch (SecurityFileException e) {
        security.close();
        throw e;
      }
    }
  }

  private RouterMain(RouterConfig config, Telemetry telemetry, FleetLoop loop, Guard guard) {
    this.config = config;
    this.telemetry = telemetry;
    lifecycle = new Lifecycle(config.server().stopGrace().plus(CLOSING));
    lifecycle.add("telemetry", telemetry);
    lifecycle.add("fleet thread", loop);
    security = lifecycle.add("security", guard.security());
    security.observe(telemetry.meter());
    List<WorkerSource> sources = config.workers().stream().map(WorkerSource::parse).toList();
    EventLoops loops =
        lifecycle.add("event loops", EventLoops.create(config.server().eventLoops()));
    PrefixIndex index = new PrefixIndex(config.index());
    Metrics.INDEX_BLOCKS.observe(telemetry.meter(), measured -> measured.record(index.blocks()));
    Metrics.INDEX_DROPPED.observe(
        telemetry.meter(), measured -> measured.record((double) index.dropped()));
    fleet =
        lifecycle.add(
            "fleet",
            new Fleet(
                Discoveries.fixed(sources),
                config.fleet(),
                address ->
                    WorkerChannels.open(
                        address, config.channel(), loops, guard.workersTls(), guard.workersKey()),
                loop,
                random,
                index));
    Discoveries.searching(sources, config.fleet(), loop).forEach(fleet::follow);
    tokenizers = lifecycle.add("tokenizers", new Tokenizers(fleet, loop::nanoTime));
    admission =
        lifecycle.add(
            "admission",
            new Admission(config.admission(), config.tenants(), fleet, loop, telemetry.meter()));
    requests =
        new RequestLog(
            config.page().enabled() ? config.page().requests() : 0,
            Clock.systemUTC(),
            loop::nanoTime);
    proxy =
        new Proxy(
            fleet,
            new Selector(
                config.policy(),
                Policies.byName(config.policy()).orElseThrow(),
                index,
                loop::nanoTime),
            config.proxy(),
            admission,
            telemetry,
            loop::nanoTime,
            random,
            new Prompts(config.prompt(), fleet, tokenizers),
            requests);
    ServerServiceDefinition generation = GenerationServiceDefinition.of(proxy, fleet);
    local = lifecycle.add("edges", LocalGeneration.start(generation));
    server =
        GrpcServer.builder(config.server())
            .on(loops)
            .guarded(security)
            .service(generation)
            .service(
                InferenceService.over(
                    local.channel(), fleet::snapshot, () -> security.rules(Identity.current())))
            // The proxy has spans of its own; operators' calls get the usual ones.
            .service(
                ServerInterceptors.intercept(
                    new FleetGrpcService(fleet), telemetry.serverInterceptor()))
            .build();
  }

  private void open() throws IOException {
    if (config.http().enabled()) {
      http = Optional.of(lifecycle.add("http", startHttp()));
    }
    server.start();
    lifecycle.add("server", this::stopServing);
    lifecycle.add("health", new FleetHealth(fleet, server.health()).start());
    fleet.start();
    if (config.prompt().tokenize()) {
      tokenizers.start();
    }
    Map<String, Integer> ports = new LinkedHashMap<>();
    ports.put("grpc", port());
    http.ifPresent(edge -> ports.put("http", edge.port()));
    if (telemetry.metricsPort() != 0) {
      ports.put("metrics", telemetry.metricsPort());
    }
    AdminServer.start(config.admin(), security)
        .map(admin -> lifecycle.add("admin", admin))
        .ifPresent(admin -> ports.put("admin", admin.port()));
    if (config.portFile().isPresent()) {
      PortFile.write(config.portFile().get(), ports);
    }
    log.info(
        "router listens on {}:{}, HTTP on {}, policy {}, workers {}",
        config.server().host(),
        port(),
        http.map(edge -> config.http().host() + ":" + edge.port()).orElse("no port"),
        config.policy(),
        config.workers());
  }

  private HttpEdge startHttp() {
    Optional<LivePage> page = config.page().enabled() ? Optional.of(startPage()) : Optional.empty();
    return HttpEdge.start(
        config.http(),
        security,
        local.channel(),
        fleet,
        telemetry,
        Clock.systemUTC(),
        random,
        page);
  }

  private LivePage startPage() {
    LivePage page =
        lifecycle.add(
            "page",
            new LivePage(
                config.page(),
                fleet::snapshot,
                admission::queued,
                requests,
                config.policy(),
                Clock.systemUTC()));
    page.start();
    return page;
  }

  /** The port of the HTTP server, if there is one. */
  public Optional<Integer> httpPort() {
    return http.map(HttpEdge::port);
  }

  /** The port of the gRPC server. */
  public int port() {
    return server.port();
  }

  /** For tests that wait for it. */
  Fleet fleet() {
    return fleet;
  }

  /** Takes over what can change while it runs: what each tenant gets. */
  void reconfigure(RouterConfig next) {
    admission.change(next.tenants());
  }

  /** Runs until SIGTERM or SIGINT, or until somebody closes it. */
  public void awaitStop() throws InterruptedException {
    lifecycle.stopOnSignals();
    lifecycle.awaitStop();
  }

  /** Takes no more calls, lets those that run end within the grace, then lets go of the workers. */
  @Override
  public void close() {
    lifecycle.close();
  }

  /** Open calls get a status with the reason when the grace is over, not a broken connection. */
  private void stopServing() {
    Duration grace = config.server().stopGrace();
    log.info("stops; open calls have {} ms", grace.toMillis());
    fleet.schedule(
        grace,
        () ->
            proxy.abort(
                new Refusal.Unavailable(
                    "DRAINING",
                    "the router stops and the stream did not end within "
                        + grace.toMillis()
                        + " ms",
                    RETRY_AFTER)));
    http.ifPresent(edge -> edge.stop(grace.plusSeconds(1)));
    server.stop(grace.plusSeconds(1));
  }
}
