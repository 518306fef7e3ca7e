package dev.sluice.common.server;

import dev.sluice.common.error.ListenException;
import dev.sluice.common.security.Security;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.ChannelzService;
import io.grpc.protobuf.services.HealthStatusManager;
import java.time.Duration;
import java.util.Optional;

/**
 * A gRPC server for looking into the process: channelz, which tells of every server, channel and
 * socket how many calls it had and in which state it is. Apart from the port for clients, so that
 * no client sees who else is there.
 *
 * <p>Threading: thread-safe.
 */
public final class AdminServer implements AutoCloseable {
  private static final int PAGE = 100; // entries in one answer
  private static final Duration GRACE = Duration.ofSeconds(1);

  private final GrpcServer server;

  private AdminServer(GrpcServer server) {
    this.server = server;
  }

  /**
   * Begins to listen, if the configuration has a port for it.
   *
   * @param security TLS, and who may call: operators
   * @throws ListenException when the address cannot be had
   */
  public static Optional<AdminServer> start(AdminConfig config, Security security) {
    return config.port().map(port -> start(config.host(), port, security));
  }

  private static AdminServer start(String host, int port, Security security) {
    GrpcServer server =
        GrpcServer.builder(ServerConfig.defaults(host, port, /* eventLoops= */ 1, GRACE))
            .service(ChannelzService.newInstance(PAGE))
            .guarded(security)
            .build();
    server.start();
    server.health().setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, ServingStatus.SERVING);
    return new AdminServer(server);
  }

  /** The port it listens on, chosen by the system if the configuration says 0. */
  public int port() {
    return server.port();
  }

  @Override
  public void close() {
    server.close();
  }
}
