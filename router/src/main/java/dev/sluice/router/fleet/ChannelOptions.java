package dev.sluice.router.fleet;

import java.time.Duration;

/**
 * How workers are reached.
 *
 * @param keepAliveTime pause between pings of a connection, also of an idle one
 * @param keepAliveTimeout a connection whose ping is not answered for so long is dead
 * @param streamWindowBytes bytes that a worker may send ahead on one stream; a stalled client keeps
 *     no more than that, and nothing of the connection's window
 * @param maxMessageBytes largest message taken from a worker
 */
public record ChannelOptions(
    Duration keepAliveTime, Duration keepAliveTimeout, int streamWindowBytes, int maxMessageBytes) {
  public static final ChannelOptions DEFAULTS =
      new ChannelOptions(Duration.ofSeconds(20), Duration.ofSeconds(5), 16 << 10, 5 << 20);
}
