package dev.sluice.router.fleet;

import dev.sluice.common.config.ByteSize;
import java.time.Duration;

/**
 * How workers are reached.
 *
 * @param keepAliveTime pause between pings of a connection, also of an idle one
 * @param keepAliveTimeout a connection whose ping is not answered for so long is dead
 * @param streamWindow what a worker may send ahead on one stream; a stalled client keeps no more
 *     than that, and nothing of the connection's window
 * @param maxMessage largest message taken from a worker
 */
public record ChannelOptions(
    Duration keepAliveTime, Duration keepAliveTimeout, ByteSize streamWindow, ByteSize maxMessage) {
  public static final ChannelOptions DEFAULTS =
      new ChannelOptions(
          Duration.ofSeconds(20), Duration.ofSeconds(5), ByteSize.ofKiB(16), ByteSize.ofMiB(5));

  private static final long MIN_WINDOW = 4L << 10;
  private static final long MAX_WINDOW = 64L << 20;
  private static final long MIN_MESSAGE = 4L << 20; // an answer of GenerateOnce
  private static final long MAX_MESSAGE = 1L << 30;

  public ChannelOptions {
    if (streamWindow.bytes() < MIN_WINDOW || streamWindow.bytes() > MAX_WINDOW) {
      throw new IllegalArgumentException(
          "stream-window: " + streamWindow + " (expected: 4KiB to 64MiB)");
    }
    if (maxMessage.bytes() < MIN_MESSAGE || maxMessage.bytes() > MAX_MESSAGE) {
      throw new IllegalArgumentException(
          "max-message: " + maxMessage + " (expected: 4MiB to 1GiB)");
    }
    if (keepAliveTime.toMillis() < 1_000) {
      throw new IllegalArgumentException(
          "keep-alive-time: " + keepAliveTime.toMillis() + "ms (expected: at least 1s)");
    }
    if (!keepAliveTimeout.isPositive()) {
      throw new IllegalArgumentException(
          "keep-alive-timeout: " + keepAliveTimeout.toMillis() + "ms (expected: above 0ms)");
    }
  }
}
