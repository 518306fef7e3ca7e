package dev.sluice.common.server;

import dev.sluice.common.config.ByteSize;
import dev.sluice.common.config.Checks;
import java.time.Duration;

/**
 * Where a gRPC server listens and what it accepts.
 *
 * @param host address to bind; loopback unless set
 * @param port 0 to 65535; 0: any free one
 * @param maxInboundMessage largest request message; 1 KiB to 1 GiB
 * @param maxMetadata largest header list of a request; 1 KiB to 1 MiB
 * @param maxConcurrentCallsPerConnection streams one connection may have open; 1 or more
 * @param maxConnections connections at a time; further ones are closed at once; 1 or more
 * @param keepAliveTime silence after which the server pings a client
 * @param keepAliveTimeout how long it waits for the answer before it drops the connection
 * @param permitKeepAliveTime clients that ping more often than this are cut off
 * @param handshakeTimeout time a new connection has for its HTTP/2 preface
 * @param eventLoops threads that do socket I/O; 1 to 256
 * @param stopGrace time that running calls have to end when the process stops
 */
public record ServerConfig(
    String host,
    int port,
    ByteSize maxInboundMessage,
    ByteSize maxMetadata,
    int maxConcurrentCallsPerConnection,
    int maxConnections,
    Duration keepAliveTime,
    Duration keepAliveTimeout,
    Duration permitKeepAliveTime,
    Duration handshakeTimeout,
    int eventLoops,
    Duration stopGrace) {
  public ServerConfig {
    Checks.notBlank("host", host, "an address such as 127.0.0.1");
    Checks.range("port", port, 0, 65535);
    Checks.range("max-inbound-message", maxInboundMessage, ByteSize.ofKiB(1), ByteSize.ofGiB(1));
    Checks.range("max-metadata", maxMetadata, ByteSize.ofKiB(1), ByteSize.ofMiB(1));
    Checks.atLeast("max-concurrent-calls-per-connection", maxConcurrentCallsPerConnection, 1);
    Checks.atLeast("max-connections", maxConnections, 1);
    Checks.atLeast("keep-alive-time", keepAliveTime, Duration.ofSeconds(1));
    Checks.atLeast("keep-alive-timeout", keepAliveTimeout, Duration.ofMillis(100));
    Checks.atLeast("permit-keep-alive-time", permitKeepAliveTime, Duration.ZERO);
    Checks.atLeast("handshake-timeout", handshakeTimeout, Duration.ofMillis(100));
    Checks.range("event-loops", eventLoops, 1, 256);
    Checks.atLeast("stop-grace", stopGrace, Duration.ZERO);
  }

  /** Loopback, 4 MiB messages, 32 KiB metadata, 4096 connections, up to four event loops. */
  public static ServerConfig defaults(int port) {
    return defaults(
        "127.0.0.1",
        port,
        Math.clamp(Runtime.getRuntime().availableProcessors(), 1, 4),
        Duration.ofSeconds(30));
  }

  /** The same limits for a server that listens or stops otherwise. */
  public static ServerConfig defaults(String host, int port, int eventLoops, Duration stopGrace) {
    return new ServerConfig(
        host,
        port,
        ByteSize.ofMiB(4),
        ByteSize.ofKiB(32),
        4096,
        4096,
        Duration.ofSeconds(30),
        Duration.ofSeconds(10),
        Duration.ofSeconds(5),
        Duration.ofSeconds(20),
        eventLoops,
        stopGrace);
  }
}
