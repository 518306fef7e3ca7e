package dev.sluice.common.server;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2LocalFlowController;

/**
 * Gives a connection a larger window than its streams. gRPC has one setting for both, so small
 * windows of streams would let all streams together send no more than one of them may: hundreds of
 * tokens of one step would come in several round trips. What streams do not read is no concern of
 * the connection's window: gRPC refills it as bytes arrive.
 *
 * <p>Threading: the connection's event loop. Removes itself when the peer has first spoken.
 */
final class WindowOpener extends ChannelInboundHandlerAdapter {
  private final int window; // bytes

  WindowOpener(int window) {
    this.window = window;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) throws Http2Exception {
    Http2ConnectionHandler http2 = ctx.pipeline().get(Http2ConnectionHandler.class);
    if (http2 != null) {
      Http2Connection connection = http2.connection();
      Http2LocalFlowController control = connection.local().flowController();
      int missing = window - control.initialWindowSize(connection.connectionStream());
      if (missing > 0) {
        control.incrementWindowSize(connection.connectionStream(), missing);
      }
      ctx.pipeline().remove(this);
    }
    ctx.fireChannelRead(message);
  }
}
