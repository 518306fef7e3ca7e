package dev.sluice.router.fleet;

import dev.sluice.common.security.ClientTls;
import dev.sluice.common.server.EventLoops;
import io.grpc.ClientInterceptor;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoop;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Opens channels to workers. They run on the event loops of the router's server, and call their
 * listeners there: what listens must not block.
 */
public final class WorkerChannels {
  /** Hundreds of streams may send their windows' worth at once; gRPC refills it on arrival. */
  private static final int CONNECTION_WINDOW = 4 << 20;

  private WorkerChannels() {}

  /**
   * A channel with a connection for each loop; see {@link EventLoops#OF_CALL}.
   *
   * @param interceptors see every call
   */
  public static ManagedChannel open(
      WorkerAddress address,
      ChannelOptions options,
      EventLoops loops,
      ClientTls tls,
      List<ClientInterceptor> interceptors) {
    List<EventLoop> each = loops.each();
    return new AffineChannel(
        each,
        each.stream()
            .map(loop -> tls.apply(builder(address, options, loop)).intercept(interceptors).build())
            .toList());
  }

  private static NettyChannelBuilder builder(
      WorkerAddress address, ChannelOptions options, EventLoop loop) {
    return NettyChannelBuilder.forAddress(address.host(), address.port())
        .eventLoopGroup(loop)
        .channelFactory(EventLoops.clientChannels(CONNECTION_WINDOW))
        .directExecutor()
        .userAgent("sluice-router")
        .disableRetry() // the router tries another worker itself; retries belong in one layer
        .disableServiceConfigLookUp()
        .keepAliveTime(options.keepAliveTime().toNanos(), TimeUnit.NANOSECONDS)
        .keepAliveTimeout(options.keepAliveTimeout().toNanos(), TimeUnit.NANOSECONDS)
        .keepAliveWithoutCalls(true)
        .flowControlWindow(options.streamWindow().toIntExact())
        .maxInboundMessageSize(options.maxMessage().toIntExact());
  }
}
