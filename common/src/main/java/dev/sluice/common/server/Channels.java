package dev.sluice.common.server;

import io.grpc.ClientInterceptor;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.util.concurrent.TimeUnit;

/** Makes client channels: epoll where available, keepalive, our limits, no retries of its own. */
public final class Channels {
  private Channels() {}

  /**
   * A channel that connects on its first call.
   *
   * @param target {@code host:port}, or any target that gRPC's resolvers know
   * @param interceptors the first one sees a call first
   */
  public static ManagedChannel open(
      String target, ChannelConfig config, ClientInterceptor... interceptors) {
    return NettyChannelBuilder.forTarget(target)
        .usePlaintext()
        .disableRetry() // the router decides where a request goes again
        .disableServiceConfigLookUp()
        .maxInboundMessageSize(config.maxInboundMessage().toIntExact())
        .maxInboundMetadataSize(config.maxMetadata().toIntExact())
        .keepAliveTime(config.keepAliveTime().toMillis(), TimeUnit.MILLISECONDS)
        .keepAliveTimeout(config.keepAliveTimeout().toMillis(), TimeUnit.MILLISECONDS)
        .keepAliveWithoutCalls(config.keepAliveWithoutCalls())
        .intercept(interceptors)
        .build();
  }

  /** Ends a channel: running calls have a moment to finish. */
  public static void close(ManagedChannel channel) {
    channel.shutdown();
    try {
      if (!channel.awaitTermination(1, TimeUnit.SECONDS)) {
        channel.shutdownNow();
      }
    } catch (InterruptedException e) {
      channel.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }
}
