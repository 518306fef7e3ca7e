package dev.sluice.router.http;

import dev.sluice.common.config.ByteSize;
import dev.sluice.common.config.Checks;
import java.time.Duration;

/**
 * The HTTP edge.
 *
 * @param enabled whether there is one
 * @param host address to bind; loopback unless set
 * @param port 0 to 65535; 0: any free one
 * @param maxBody largest request body; 1 KiB to 1 GiB
 * @param idleTimeout silence in both directions after which a connection is closed; longer than any
 *     answer may take to begin
 * @param requestTimeout time in which the headers of a connection's first request must come, and in
 *     which the body of any must
 * @param keepAliveTimeout a connection without a request is closed after so long, also if it sends
 * @param maxConnections connections at a time; further ones are closed at once; 1 or more
 * @param eventLoops threads that do socket I/O and write answers; 1 to 256
 */
public record HttpConfig(
    boolean enabled,
    String host,
    int port,
    ByteSize maxBody,
    Duration idleTimeout,
    Duration requestTimeout,
    Duration keepAliveTimeout,
    int maxConnections,
    int eventLoops) {
  /** Loopback, port 8080, 4 MiB bodies, up to four event loops. */
  public static final HttpConfig DEFAULTS =
      new HttpConfig(
          true,
          "127.0.0.1",
          8080,
          ByteSize.ofMiB(4),
          Duration.ofMinutes(15),
          Duration.ofSeconds(30),
          Duration.ofSeconds(75),
          4096,
          Math.clamp(Runtime.getRuntime().availableProcessors(), 1, 4));

  public HttpConfig {
    Checks.notBlank("host", host, "an address such as 127.0.0.1");
    Checks.range("port", port, 0, 65535);
    Checks.range("max-body", maxBody, ByteSize.ofKiB(1), ByteSize.ofGiB(1));
    Checks.range("idle-timeout", idleTimeout, Duration.ofSeconds(1), Duration.ofDays(1));
    Checks.range("request-timeout", requestTimeout, Duration.ofMillis(100), Duration.ofDays(1));
    Checks.range(
        "keep-alive-timeout", keepAliveTimeout, Duration.ofMillis(100), Duration.ofDays(1));
    Checks.atLeast("max-connections", maxConnections, 1);
    Checks.range("event-loops", eventLoops, 1, 256);
  }
}
