package dev.sluice.common.server;

import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;

/** Netty on epoll where its native library loads (Linux), else on the JDK's NIO. */
final class Transport {
  private static final boolean EPOLL = Epoll.isAvailable();

  private Transport() {}

  static ServerChannel serverChannel() {
    return EPOLL ? new EpollServerSocketChannel() : new NioServerSocketChannel();
  }

  static Channel clientChannel() {
    return EPOLL ? new EpollSocketChannel() : new NioSocketChannel();
  }

  static EventLoopGroup eventLoops(int threads, String name) {
    return new MultiThreadIoEventLoopGroup(
        threads,
        new DefaultThreadFactory(name, /* daemon= */ true),
        EPOLL ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
  }
}
