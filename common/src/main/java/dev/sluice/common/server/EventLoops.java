package dev.sluice.common.server;

import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import java.util.concurrent.TimeUnit;

/**
 * The threads that do socket I/O: one that accepts connections and some that serve them. Servers of
 * one process can share them, and client channels can run on them too, so that what passes from one
 * to the other stays on one thread.
 *
 * <p>Threading: thread-safe. Whoever creates them closes them, after the servers and channels.
 */
public final class EventLoops implements AutoCloseable {
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

  /** Those that serve connections. */
  public EventLoopGroup io() {
    return io;
  }

  static Class<? extends ServerChannel> serverChannel() {
    return Transport.serverChannel();
  }

  /** The kind of socket that client channels on {@link #io} must have. */
  public static Class<? extends Channel> clientChannel() {
    return Transport.clientChannel();
  }

  /** Ends them; connections that are left are closed. */
  @Override
  public void close() {
    var _ = acceptor.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    var _ = io.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }
}
