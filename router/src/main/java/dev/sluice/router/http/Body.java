package dev.sluice.router.http;

import io.vertx.core.buffer.Buffer;
import java.util.function.Consumer;

/**
 * Takes in the body of a request, up to a bound. What goes beyond is read and forgotten, so that
 * the client, which still sends, gets to its answer; up to a bound of its own, where the connection
 * is cut.
 *
 * <p>Threading: the event loop of the exchange.
 */
final class Body {
  /** Bodies so many times too large are read to their end. */
  private static final int PATIENCE = 16;

  private final Exchange exchange;
  private final int maxBytes;
  private final Consumer<byte[]> complete;
  private final Buffer bytes = Buffer.buffer();
  private long received;

  private Body(Exchange exchange, int maxBytes, Consumer<byte[]> complete) {
    this.exchange = exchange;
    this.maxBytes = maxBytes;
    this.complete = complete;
  }

  /**
   * Reads it.
   *
   * @param complete gets it, unless it is refused or the client hangs up
   */
  static void read(Exchange exchange, int maxBytes, Consumer<byte[]> complete) {
    Body body = new Body(exchange, maxBytes, complete);
    exchange.request().handler(body::add).endHandler(_ -> body.end());
  }

  private void add(Buffer part) {
    received += part.length();
    if (received <= maxBytes) {
      bytes.appendBuffer(part);
    } else if (received > (long) maxBytes * PATIENCE) {
      exchange.cutOff();
    }
  }

  private void end() {
    if (received > maxBytes) {
      exchange.fail(
          ApiError.invalid(
              413, "body: " + received + " bytes (expected: at most " + maxBytes + ")"));
    } else {
      complete.accept(bytes.getBytes());
    }
  }
}
