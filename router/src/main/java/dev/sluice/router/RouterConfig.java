package dev.sluice.router;

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
import dev.sluice.router.fleet.WorkerSource;
import dev.sluice.router.http.HttpConfig;
import dev.sluice.router.index.IndexOptions;
import dev.sluice.router.page.PageOptions;
import dev.sluice.router.policy.Policies;
import dev.sluice.router.prompt.PromptOptions;
import dev.sluice.router.proxy.ProxyOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Configuration of a router.
 *
 * @param server where clients connect
 * @param http where clients of other APIs connect
 * @param workers where workers are: host:port, dns:///host:port or
 *     kubernetes:///service.namespace:port
 * @param policy name of the routing policy
 * @param index what is remembered of the workers' caches
 * @param prompt how prompts are tokenized
 * @param fleet how workers are watched
 * @param channel how workers are reached
 * @param proxy how calls are passed on
 * @param admission how requests wait for a worker
 * @param tenants what each tenant gets
 * @param tls of both ports
 * @param auth who may call
 * @param workersTls towards workers
 * @param workersKey file with the key that workers are shown, if they ask for one
 * @param telemetry spans and metrics
 * @param page the live page, on the HTTP port
 * @param admin where the process itself can be looked into
 * @param portFile where the ports in use are written; none by default
 */
public record RouterConfig(
    ServerConfig server,
    HttpConfig http,
    List<String> workers,
    String policy,
    IndexOptions index,
    PromptOptions prompt,
    FleetOptions fleet,
    ChannelOptions channel,
    ProxyOptions proxy,
    AdmissionOptions admission,
    TenantOptions tenants,
    TlsConfig tls,
    AuthConfig auth,
    ClientTlsConfig workersTls,
    Optional<Path> workersKey,
    TelemetryConfig telemetry,
    PageOptions page,
    AdminConfig admin,
    Optional<Path> portFile) {
  private static final int DEFAULT_PORT = 9090;
  private static final int DEFAULT_METRICS_PORT = 9464;

  public RouterConfig {
    workers = List.copyOf(workers);
    for (String worker : workers) {
      try {
        WorkerSource.parse(worker);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException("workers: " + e.getMessage(), e);
      }
    }
    if (Policies.byName(policy).isEmpty()) {
      throw new IllegalArgumentException(
          "policy: " + policy + " (expected: one of " + String.join(", ", Policies.names()) + ")");
    }
  }

  /** Port 9090, one worker at the first worker's usual address. */
  public static RouterConfig defaults() {
    return new RouterConfig(
        ServerConfig.defaults(DEFAULT_PORT),
        HttpConfig.DEFAULTS,
        List.of("127.0.0.1:9091"),
        Policies.DEFAULT,
        IndexOptions.DEFAULTS,
        PromptOptions.DEFAULTS,
        FleetOptions.DEFAULTS,
        ChannelOptions.DEFAULTS,
        ProxyOptions.DEFAULTS,
        AdmissionOptions.DEFAULTS,
        TenantOptions.DEFAULTS,
        TlsConfig.NONE,
        AuthConfig.NONE,
        ClientTlsConfig.NONE,
        Optional.empty(),
        TelemetryConfig.defaults(DEFAULT_METRICS_PORT),
        PageOptions.DEFAULTS,
        AdminConfig.DEFAULTS,
        Optional.empty());
  }
}
