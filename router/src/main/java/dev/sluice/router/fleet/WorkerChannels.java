package dev.sluice.router.fleet;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.util.concurrent.TimeUnit;

/**
 * Opens channels to workers. They share the event loops of grpc-java's servers in this process
 * (epoll where there is), and call their listeners there: what listens must not block.
 */
public final class WorkerChannels {
  private WorkerChannels() {}

  public static ManagedChannel open(WorkerAddress address, ChannelOptions options) {
    return NettyChannelBuilder.forAddress(address.host(), address.port())
        .usePlaintext()
        .directExecutor()
        .userAgent("sluice-router")
        .disableRetry() // the router tries another worker itself; retries belong in one layer
        .disableServiceConfigLookUp()
        .keepAliveTime(options.keepAliveTime().toNanos(), TimeUnit.NANOSECONDS)
        .keepAliveTimeout(options.keepAliveTimeout().toNanos(), TimeUnit.NANOSECONDS)
        .keepAliveWithoutCalls(true)
        .flowControlWindow(options.streamWindow().toIntExact())
        .maxInboundMessageSize(options.maxMessage().toIntExact())
        .build();
  }
}
