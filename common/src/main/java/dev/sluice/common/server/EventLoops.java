package dev.sluice.common.server;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.ServerTransportFilter;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads that do socket I/O: one that accepts connections and some that serve them. Servers of
 * one process can share them, and client channels can run on them too, so that what passes from one
 * to the other stays on one thread.
 *
 * <p>Threading: thread-safe. Whoever creates them closes them, after the servers and channels.
 */
public final class EventLoops implements AutoCloseable {
  /** Of a connection to a server: the loop that serves it. */
  public static final Attributes.Key<EventLoop> OF_CONNECTION =
      Attributes.Key.create("sluice-event-loop");

  /** Of a client call: the loop whose connection it should take; absent if that is all one. */
  public static final CallOptions.Key<@Nullable EventLoop> OF_CALL =
      CallOptions.Key.create("sluice-event-loop");

  private static final Logger log = LoggerFactory.getLogger(EventLoops.class);

  private final EventLoopGroup acceptor;
  private final EventLoopGroup io;

  private EventLoops(int threads) {
    acceptor = Transport.eventLoops(1, "grpc-accept");
    io = Transport.eventLoops(threads, "grpc-io");
  }

  /** Starts none of them yet: a thread begins with its first connection. */
  public static EventLoops create(int threads) {
    return new EventLoops(threads);
  }

  EventLoopGroup acceptor() {
    return acceptor;
  }

  EventLoopGroup io() {
    return io;
  }

  /** Those that serve connections, one by one. */
  public List<EventLoop> each() {
    List<EventLoop> loops = new ArrayList<>();
    for (EventExecutor loop : io) {
      loops.add((EventLoop) loop);
    }
    return loops;
  }

  /**
   * Sockets that servers listen on.
   *
   * @param maxConnections each has at a time
   */
  static ChannelFactory<ServerChannel> serverChannels(int maxConnections) {
    return () -> {
      ServerChannel channel = Transport.serverChannel();
      channel.pipeline().addLast(new Acceptance(maxConnections));
      return channel;
    };
  }

  /**
   * Sockets of client channels that run on these loops.
   *
   * @param connectionWindow what a server may send ahead over all streams of a connection, bytes
   */
  public static ChannelFactory<Channel> clientChannels(int connectionWindow) {
    return () -> {
      Channel channel = Transport.clientChannel();
      channel.pipeline().addLast(new WriteJoiner(), new WindowOpener(connectionWindow));
      return channel;
    };
  }

  /** Tells calls which loop serves their connection. */
  ServerTransportFilter marker() {
    return new ServerTransportFilter() {
      @Override
      public Attributes transportReady(Attributes attributes) {
        for (EventLoop loop : each()) {
          if (loop.inEventLoop()) {
            return attributes.toBuilder().set(OF_CONNECTION, loop).build();
          }
        }
        return attributes;
      }
    };
  }

  /**
   * Equips each connection that is accepted, before gRPC does; those beyond the limit are closed.
   *
   * <p>Threading: the acceptor's; connections end on any event loop.
   */
  private static final class Acceptance extends ChannelInboundHandlerAdapter {
    private final int maxConnections;
    private final AtomicInteger open = new AtomicInteger();
    private boolean full; // so that a flood is logged once

    Acceptance(int maxConnections) {
      this.maxConnections = maxConnections;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      if (message instanceof Channel accepted) {
        if (open.get() >= maxConnections) {
          refuse(accepted);
          return;
        }
        full = false;
        open.incrementAndGet();
        ChannelFuture _ = accepted.closeFuture().addListener(_ -> open.decrementAndGet());
        accepted.pipeline().addLast(new WriteJoiner());
      }
      ctx.fireChannelRead(message);
    }

    private void refuse(Channel accepted) {
      accepted.unsafe().closeForcibly();
      if (!full) {
        full = true;
        log.warn("{} connections are open, which is the most: new ones are closed", maxConnections);
      }
    }
  }

  /** Ends them; connections that are left are closed. */
  @Override
  public void close() {
    var _ = acceptor.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    var _ = io.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }
}
