package dev.sluice.router;

import dev.sluice.common.config.ByteSize;
import dev.sluice.common.security.AuthConfig;
import dev.sluice.common.security.ClientTlsConfig;
import dev.sluice.common.security.TlsConfig;
import dev.sluice.common.server.AdminConfig;
import dev.sluice.common.server.ServerConfig;
import dev.sluice.common.telemetry.TelemetryConfig;
import dev.sluice.router.admission.AdmissionOptions;
import dev.sluice.router.admission.TenantOptions;
import dev.sluice.router.fleet.ChannelOptions;
import dev.sluice.router.fleet.FleetOptions;
import dev.sluice.router.http.HttpConfig;
import dev.sluice.router.index.IndexOptions;
import dev.sluice.router.page.PageOptions;
import dev.sluice.router.prompt.PromptOptions;
import dev.sluice.router.proxy.ProxyOptions;
import dev.sluice.router.testing.FakeWorker;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** A router's configuration for tests: any ports, and nobody waits; the rest as a test wants it. */
final class TestConfig {
  /** Any port, and bodies of 64 KiB at most. */
  private static final HttpConfig HTTP =
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

  private final List<String> workers;
  private String policy = "least-outstanding"; // whoever is idle: easy to foretell
  private FleetOptions fleet = patient();
  private ProxyOptions proxy = RouterFixture.PROXY;
  private Duration stopGrace = Duration.ofSeconds(5);
  private AdmissionOptions admission = AdmissionOptions.DEFAULTS.withQueueTimeout(Duration.ZERO);
  private TenantOptions tenants = TenantOptions.DEFAULTS;
  private HttpConfig http = HTTP;
  private AuthConfig auth = AuthConfig.NONE;
  private Optional<Path> workersKey = Optional.empty();
  private PageOptions page = PageOptions.DEFAULTS;
  private AdminConfig admin = AdminConfig.DEFAULTS;
  private Optional<Path> portFile = Optional.empty();

  TestConfig(FakeWorker... workers) {
    this.workers = Arrays.stream(workers).map(FakeWorker::address).toList();
  }

  /** Fakes have no heartbeat: they may be silent as long as a test takes. */
  private static FleetOptions patient() {
    FleetOptions d = FleetOptions.DEFAULTS;
    return new FleetOptions(
        Duration.ofMinutes(5),
        d.stallTimeout(),
        d.backoffInitial(),
        d.backoffMax(),
        d.breaker(),
        d.dnsRefresh());
  }

  TestConfig policy(String newPolicy) {
    policy = newPolicy;
    return this;
  }

  TestConfig fleet(FleetOptions newFleet) {
    fleet = newFleet;
    return this;
  }

  TestConfig proxy(ProxyOptions newProxy) {
    proxy = newProxy;
    return this;
  }

  TestConfig stopGrace(Duration newStopGrace) {
    stopGrace = newStopGrace;
    return this;
  }

  TestConfig admission(AdmissionOptions newAdmission) {
    admission = newAdmission;
    return this;
  }

  TestConfig tenants(TenantOptions newTenants) {
    tenants = newTenants;
    return this;
  }

  TestConfig http(HttpConfig newHttp) {
    http = newHttp;
    return this;
  }

  TestConfig auth(AuthConfig newAuth) {
    auth = newAuth;
    return this;
  }

  /** With the file of the key that workers are shown. */
  TestConfig workersKey(Path file) {
    workersKey = Optional.of(file);
    return this;
  }

  TestConfig page(PageOptions newPage) {
    page = newPage;
    return this;
  }

  TestConfig admin(AdminConfig newAdmin) {
    admin = newAdmin;
    return this;
  }

  TestConfig portFile(Path file) {
    portFile = Optional.of(file);
    return this;
  }

  RouterConfig build() {
    ServerConfig d = ServerConfig.defaults(0);
    return new RouterConfig(
        ServerConfig.defaults(d.host(), d.port(), d.eventLoops(), stopGrace),
        http,
        workers,
        policy,
        IndexOptions.DEFAULTS,
        PromptOptions.DEFAULTS,
        fleet,
        ChannelOptions.DEFAULTS,
        proxy,
        admission,
        tenants,
        TlsConfig.NONE,
        auth,
        ClientTlsConfig.NONE,
        workersKey,
        TelemetryConfig.defaults(0),
        page,
        admin,
        portFile);
  }
}
