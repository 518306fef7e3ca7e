package dev.sluice.common.server;

import dev.sluice.common.config.ByteSize;
import dev.sluice.common.config.Checks;
import java.time.Duration;

/**
 * How a process talks to a gRPC server.
 *
 * @param maxInboundMessage largest answer message
 * @param maxMetadata largest header list of an answer
 * @param keepAliveTime silence after which the connection is checked; at least the server's
 *     permitKeepAliveTime
 * @param keepAliveTimeout how long the answer to the check may take
 * @param keepAliveWithoutCalls whether an idle connection is checked too
 */
public record ChannelConfig(
    ByteSize maxInboundMessage,
    ByteSize maxMetadata,
    Duration keepAliveTime,
    Duration keepAliveTimeout,
    boolean keepAliveWithoutCalls) {
  public ChannelConfig {
    Checks.range("max-inbound-message", maxInboundMessage, ByteSize.ofKiB(1), ByteSize.ofGiB(1));
    Checks.range("max-metadata", maxMetadata, ByteSize.ofKiB(1), ByteSize.ofMiB(1));
    Checks.atLeast("keep-alive-time", keepAliveTime, Duration.ofSeconds(1));
    Checks.atLeast("keep-alive-timeout", keepAliveTimeout, Duration.ofMillis(100));
  }

  /** 16 MiB messages; a dead server is noticed in 15 seconds during calls. */
  public static ChannelConfig defaults() {
    return new ChannelConfig(
        ByteSize.ofMiB(16),
        ByteSize.ofKiB(32),
        Duration.ofSeconds(10),
        Duration.ofSeconds(5),
        false);
  }
}
