package dev.sluice.router.http;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.InternetProtocolFamily;
import io.netty.util.concurrent.ScheduledFuture;
import io.vertx.core.datagram.DatagramSocketOptions;
import io.vertx.core.net.SocketAddress;
import io.vertx.core.net.TcpConfig;
import io.vertx.core.spi.transport.Transport;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Vert.x's transport with limits that hold from the first moment: Vert.x itself tells of a
 * connection when it has said which protocol it speaks, which an attacker never does.
 *
 * <p>Threading: any thread.
 */
final class GuardedTransport implements Transport, io.vertx.core.transport.Transport {
  private static final Logger log = LoggerFactory.getLogger(GuardedTransport.class);

  private final io.vertx.core.transport.Transport named;
  private final Transport delegate;
  private final int maxConnections;
  private final long prefaceMillis;
  private final boolean encrypted;
  private final AtomicInteger open = new AtomicInteger();

  private GuardedTransport(
      io.vertx.core.transport.Transport delegate,
      int maxConnections,
      long prefaceMillis,
      boolean encrypted) {
    this.named = delegate;
    this.delegate = delegate.implementation();
    this.maxConnections = maxConnections;
    this.prefaceMillis = prefaceMillis;
    this.encrypted = encrypted;
  }

  /**
   * On epoll where its native library loads, else on the JDK's NIO.
   *
   * @param encrypted whether connections begin with TLS, whose handshake has a limit of its own
   */
  static GuardedTransport of(HttpConfig config, boolean encrypted) {
    io.vertx.core.transport.Transport fast = io.vertx.core.transport.Transport.nativeTransport();
    return new GuardedTransport(
        fast != null && fast.available() ? fast : io.vertx.core.transport.Transport.NIO,
        config.maxConnections(),
        config.requestTimeout().toMillis(),
        encrypted);
  }

  @Override
  public ChannelFactory<? extends ServerChannel> serverChannelFactory(boolean domainSocket) {
    ChannelFactory<? extends ServerChannel> plain = delegate.serverChannelFactory(domainSocket);
    return () -> {
      ServerChannel channel = plain.newChannel();
      channel.pipeline().addLast(new Acceptance());
      return channel;
    };
  }

  /** Sees each connection first. Threading: the event loop that accepts. */
  private final class Acceptance extends ChannelInboundHandlerAdapter {
    private boolean full; // so that a flood is logged once

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      if (message instanceof Channel accepted) {
        if (open.get() >= maxConnections) {
          accepted.unsafe().closeForcibly();
          if (!full) {
            full = true;
            log.warn(
                "{} connections are open, which is the most: new ones are closed", maxConnections);
          }
          return;
        }
        full = false;
        open.incrementAndGet();
        ChannelFuture _ = accepted.closeFuture().addListener(_ -> open.decrementAndGet());
        if (!encrypted) {
          accepted.pipeline().addLast(new Preface(prefaceMillis));
        }
      }
      ctx.fireChannelRead(message);
    }
  }

  /**
   * Closes a connection whose first headers, or HTTP/2's preface, do not end in time: both end with
   * an empty line.
   *
   * <p>Threading: the connection's event loop.
   */
  private static final class Preface extends ChannelInboundHandlerAdapter {
    private final long millis;
    private boolean lineIsEmpty; // so far
    private boolean begun;
    private @Nullable ScheduledFuture<?> end;

    Preface(long millis) {
      this.millis = millis;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
      end = ctx.executor().schedule(() -> close(ctx), millis, TimeUnit.MILLISECONDS);
      ctx.fireChannelActive();
    }

    private static void close(ChannelHandlerContext ctx) {
      ChannelFuture _ = ctx.close();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      if (message instanceof ByteBuf bytes) {
        bytes.forEachByte(this::scan);
      }
      ctx.fireChannelRead(message);
      if (begun) {
        ctx.pipeline().remove(this);
      }
    }

    /** Whether to go on. */
    private boolean scan(byte next) {
      if (next == '\n') {
        begun = lineIsEmpty;
        lineIsEmpty = true;
      } else if (next != '\r') {
        lineIsEmpty = false;
      }
      return !begun;
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
      if (end != null) {
        end.cancel(false);
      }
    }
  }

  @Override
  public String name() {
    return named.name();
  }

  @Override
  public boolean available() {
    return named.available();
  }

  @Override
  public Throwable unavailabilityCause() {
    return named.unavailabilityCause();
  }

  @Override
  public Transport implementation() {
    return this;
  }

  @Override
  public boolean supportsDomainSockets() {
    return delegate.supportsDomainSockets();
  }

  @Override
  public boolean supportFileRegion() {
    return delegate.supportFileRegion();
  }

  @Override
  public boolean isAvailable() {
    return delegate.isAvailable();
  }

  @Override
  public java.net.SocketAddress convert(SocketAddress address) {
    return delegate.convert(address);
  }

  @Override
  public SocketAddress convert(java.net.SocketAddress address) {
    return delegate.convert(address);
  }

  @Override
  public IoHandlerFactory ioHandlerFactory() {
    return delegate.ioHandlerFactory();
  }

  @Override
  @SuppressWarnings("deprecation") // as Vert.x declares it
  public DatagramChannel datagramChannel(InternetProtocolFamily family) {
    return delegate.datagramChannel(family);
  }

  @Override
  public ChannelFactory<? extends DatagramChannel> datagramChannelFactory() {
    return delegate.datagramChannelFactory();
  }

  @Override
  public ChannelFactory<? extends Channel> channelFactory(boolean domainSocket) {
    return delegate.channelFactory(domainSocket);
  }

  @Override
  public void configure(DatagramChannel channel, DatagramSocketOptions options) {
    delegate.configure(channel, options);
  }

  @Override
  public void configure(TcpConfig config, boolean domainSocket, Bootstrap bootstrap) {
    delegate.configure(config, domainSocket, bootstrap);
  }

  @Override
  public void configure(TcpConfig config, boolean domainSocket, ServerBootstrap bootstrap) {
    delegate.configure(config, domainSocket, bootstrap);
  }
}
