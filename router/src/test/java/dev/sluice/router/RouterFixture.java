package dev.sluice.router;

import dev.sluice.common.config.ByteSize;
import dev.sluice.common.security.AuthConfig;
import dev.sluice.common.security.ClientTlsConfig;
import dev.sluice.common.security.TlsConfig;
import dev.sluice.common.server.ServerConfig;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.common.telemetry.TelemetryConfig;
import dev.sluice.router.admission.AdmissionOptions;
import dev.sluice.router.admission.TenantOptions;
import dev.sluice.router.fleet.ChannelOptions;
import dev.sluice.router.fleet.Fleet;
import dev.sluice.router.fleet.FleetOptions;
import dev.sluice.router.http.HttpConfig;
import dev.sluice.router.index.IndexOptions;
import dev.sluice.router.prompt.PromptOptions;
import dev.sluice.router.proxy.ProxyOptions;
import dev.sluice.router.testing.Collected;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.router.testing.Fleets;
import dev.sluice.router.testing.SteppedLoop;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A whole router over fake workers, and a client channel to it. */
final class RouterFixture implements AutoCloseable {
  /** Waits for nobody. */
  static final ProxyOptions PROXY = proxy(4, Duration.ZERO);

  /** Any port, and bodies of 64 KiB at most. */
  static final HttpConfig HTTP =
      new HttpConfig(
          true,
          "127.0.0.1",
          0,
          ByteSize.ofKiB(64),
          Duration.ofMinutes(1),
          Duration.ofSeconds(30),
          Duration.ofSeconds(75),
          4096,
          2);

  private final RouterMain router;
  private final ManagedChannel channel;

  private RouterFixture(RouterMain router) {
    this.router = router;
    channel =
        NettyChannelBuilder.forAddress("127.0.0.1", router.port())
            .usePlaintext()
            .flowControlWindow(16 << 10)
            .build();
  }

  static ProxyOptions proxy(int maxAttempts, Duration joinTimeout) {
    return new ProxyOptions(maxAttempts, joinTimeout, Duration.ZERO, 20, Duration.ofMinutes(1), 8);
  }

  /** Over these workers, all of them ready. */
  static RouterFixture over(FakeWorker... workers) {
    RouterFixture fixture = start(config(workers), Telemetry.noop());
    Fleets.awaitReady(fixture.fleet(), workers.length);
    return fixture;
  }

  static RouterFixture start(RouterConfig config, Telemetry telemetry) {
    try {
      return new RouterFixture(RouterMain.start(config, telemetry));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Over these workers, with time that is the test's. */
  static RouterFixture over(SteppedLoop loop, ProxyOptions proxy, FakeWorker... workers) {
    try {
      RouterFixture fixture =
          new RouterFixture(
              RouterMain.start(
                  config(FleetOptions.DEFAULTS, proxy, Duration.ofSeconds(5), workers),
                  Telemetry.noop(),
                  loop));
      Fleets.awaitReady(fixture.fleet(), workers.length);
      return fixture;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Over these workers, with time that is the test's, where requests may have to wait. */
  static RouterFixture over(
      SteppedLoop loop, AdmissionOptions admission, TenantOptions tenants, FakeWorker... workers) {
    RouterConfig d = config(workers);
    RouterConfig config =
        new RouterConfig(
            d.server(),
            d.http(),
            d.workers(),
            d.policy(),
            d.index(),
            d.prompt(),
            d.fleet(),
            d.channel(),
            d.proxy(),
            admission,
            tenants,
            d.tls(),
            d.auth(),
            d.workersTls(),
            d.workersKey(),
            d.telemetry(),
            d.portFile());
    try {
      RouterFixture fixture = new RouterFixture(RouterMain.start(config, Telemetry.noop(), loop));
      Fleets.awaitReady(fixture.fleet(), workers.length);
      return fixture;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static RouterConfig config(FakeWorker... workers) {
    return config(PROXY, Duration.ofSeconds(5), workers);
  }

  /** Fakes have no heartbeat: they may be silent as long as a test takes. */
  static RouterConfig config(ProxyOptions proxy, Duration stopGrace, FakeWorker... workers) {
    FleetOptions d = FleetOptions.DEFAULTS;
    FleetOptions patient =
        new FleetOptions(
            Duration.ofMinutes(5),
            d.stallTimeout(),
            d.backoffInitial(),
            d.backoffMax(),
            d.breaker(),
            d.dnsRefresh());
    return config(patient, proxy, stopGrace, workers);
  }

  private static RouterConfig config(
      FleetOptions fleet, ProxyOptions proxy, Duration stopGrace, FakeWorker... workers) {
    ServerConfig d = ServerConfig.defaults(0);
    return new RouterConfig(
        new ServerConfig(
            d.host(),
            d.port(),
            d.maxInboundMessage(),
            d.maxMetadata(),
            d.maxConcurrentCallsPerConnection(),
            d.maxConnections(),
            d.keepAliveTime(),
            d.keepAliveTimeout(),
            d.permitKeepAliveTime(),
            d.handshakeTimeout(),
            d.eventLoops(),
            stopGrace),
        HTTP,
        Arrays.stream(workers).map(FakeWorker::address).toList(),
        "least-outstanding", // whoever is idle: easy to foretell
        IndexOptions.DEFAULTS,
        PromptOptions.DEFAULTS,
        fleet,
        ChannelOptions.DEFAULTS,
        proxy,
        AdmissionOptions.DEFAULTS.withQueueTimeout(Duration.ZERO),
        TenantOptions.DEFAULTS,
        TlsConfig.NONE,
        AuthConfig.NONE,
        ClientTlsConfig.NONE,
        Optional.empty(),
        TelemetryConfig.defaults(0),
        Optional.empty());
  }

  Fleet fleet() {
    return router.fleet();
  }

  /** A path of its HTTP edge. */
  URI http(String path) {
    return URI.create("http://127.0.0.1:" + router.httpPort().orElseThrow() + path);
  }

  RouterMain router() {
    return router;
  }

  ManagedChannel channel() {
    return channel;
  }

  static GenerateRequest prompt(String model) {
    return GenerateRequest.newBuilder().setModel(model).setText("hello").build();
  }

  Collected<GenerateResponse> generate(GenerateRequest request) {
    return generate(request, CallOptions.DEFAULT, Integer.MAX_VALUE);
  }

  Collected<GenerateResponse> generate(GenerateRequest request, CallOptions options, int ask) {
    return Collected.start(
        channel, GenerationServiceGrpc.getGenerateMethod(), options, request, ask);
  }

  /** The ids of the workers that answered these streams. */
  static String workerOf(List<GenerateResponse> messages) {
    return messages.getFirst().getStarted().getWorkerId();
  }

  @Override
  public void close() {
    channel.shutdownNow();
    try {
      channel.awaitTermination(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    router.close();
  }
}
