package dev.sluice.common.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import org.jspecify.annotations.Nullable;

/**
 * Joins the small buffers that are written between two flushes: HTTP/2 writes two per frame, its
 * header and its content, and a frame here is a token. To copy these hundred bytes costs less than
 * to keep, gather and release them one by one, and the kernel gets one buffer in place of hundreds.
 *
 * <p>A small write counts as done when it is joined. Nothing is hidden by that: at most {@value
 * #CAPACITY} bytes of a connection wait here until the flush, and if they cannot be sent then the
 * connection is closed, which ends its streams.
 *
 * <p>Threading: the connection's event loop.
 */
final class WriteJoiner extends ChannelDuplexHandler {
  private static final int SMALL = 1 << 10;
  private static final int CAPACITY = 16 << 10;

  private @Nullable ByteBuf joined;

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    if (message instanceof ByteBuf buffer
        && buffer.readableBytes() <= SMALL
        && ctx.channel().isActive()) {
      try {
        room(ctx, buffer.readableBytes()).writeBytes(buffer);
      } finally {
        buffer.release();
      }
      promise.trySuccess();
      return;
    }
    pass(ctx);
    ChannelFuture _ = ctx.write(message, promise);
  }

  private ByteBuf room(ChannelHandlerContext ctx, int bytes) {
    if (joined != null && joined.writableBytes() < bytes) {
      pass(ctx);
    }
    if (joined == null) {
      joined = ctx.alloc().directBuffer(CAPACITY, CAPACITY);
    }
    return joined;
  }

  private void pass(ChannelHandlerContext ctx) {
    ByteBuf buffer = joined;
    if (buffer != null) {
      joined = null;
      ChannelFuture _ = ctx.write(buffer); // a failure closes the connection
    }
  }

  @Override
  public void flush(ChannelHandlerContext ctx) {
    pass(ctx);
    ctx.flush();
  }

  @Override
  public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
    flush(ctx); // what counts as written must not be dropped
    ChannelFuture _ = ctx.close(promise);
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    release();
    ctx.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    release();
  }

  private void release() {
    if (joined != null) {
      joined.release();
      joined = null;
    }
  }
}
