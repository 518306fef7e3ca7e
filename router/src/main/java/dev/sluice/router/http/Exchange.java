package dev.sluice.router.http;

import static java.util.Objects.requireNonNull;

import dev.sluice.router.edge.JsonBytes;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * One HTTP request and its answer: a whole one, or a stream of server-sent events.
 *
 * <p>Threading: the event loop of its connection; other threads get there by {@link #loop}.
 */
final class Exchange {
  private static final String JSON = "application/json";
  private static final String EVENTS = "text/event-stream";
  private final HttpServerRequest request;
  private final HttpServerResponse response;
  private final HttpMetrics metrics;
  private final String route;
  private final Context context;
  private final long arrivalNanos = System.nanoTime();
  private Runnable onGone = () -> {};
  private Runnable onWritable = () -> {};
  private boolean over;

  /** Created on the event loop. */
  Exchange(HttpServerRequest request, String route, HttpMetrics metrics) {
    this.request = request;
    this.response = request.response();
    this.route = route;
    this.metrics = metrics;
    context = requireNonNull(Vertx.currentContext(), "no event loop");
    response.closeHandler(_ -> gone());
    response.exceptionHandler(_ -> gone());
    request.exceptionHandler(_ -> gone());
    response.drainHandler(_ -> onWritable.run());
  }

  /** Runs tasks one after the other on the event loop. */
  Executor loop() {
    return task -> context.runOnContext(_ -> task.run());
  }

  HttpServerRequest request() {
    return request;
  }

  Optional<String> header(String name) {
    return Optional.ofNullable(request.getHeader(name));
  }

  /** Called once when the client hangs up before it has its answer; at once if it has. */
  void onGone(Runnable action) {
    if (over) {
      action.run();
    } else {
      onGone = action;
    }
  }

  /** Called each time the client has read so much that more can be written. */
  void onWritable(Runnable action) {
    onWritable = action;
  }

  /**
   * Whether what is written now goes out soon, rather than waiting in memory; not after the end.
   */
  boolean isWritable() {
    return !over && !response.writeQueueFull();
  }

  /** Whether nothing more can be said. */
  boolean isOver() {
    return over;
  }

  void answerHeader(String name, String value) {
    response.putHeader(name, value);
  }

  void json(byte[] body) {
    whole(200, JSON, body);
  }

  void whole(int status, String contentType, byte[] body) {
    if (over) {
      return;
    }
    end(status);
    response.setStatusCode(status).putHeader("Content-Type", contentType);
    response.end(Buffer.buffer(body));
  }

  /** Writes to a stream of events, which the first call begins. */
  void event(byte[] event) {
    if (over) {
      return;
    }
    if (!response.headWritten()) {
      response
          .setChunked(true)
          .putHeader("Content-Type", EVENTS)
          .putHeader("Cache-Control", "no-cache")
          .putHeader("X-Accel-Buffering", "no"); // proxies on the way must not collect events
    }
    response.write(Buffer.buffer(event));
  }

  /** Ends a stream of events. */
  void endEvents() {
    if (!over) {
      end(200);
      response.end();
    }
  }

  /** A whole answer if nothing was said yet, else the last event. */
  void fail(ApiError error) {
    if (over) {
      return;
    }
    if (!response.headWritten()) {
      if (!error.retryAfter().isZero()) {
        long millis = Math.max(1, error.retryAfter().plusNanos(999_999).toMillis());
        response.putHeader("Retry-After", Long.toString(Math.ceilDiv(millis, 1000)));
        response.putHeader("Retry-After-Ms", Long.toString(millis)); // read by OpenAI's clients
      }
      whole(error.status(), JSON, JsonBytes.of(out -> Json.error(out, error)));
      return;
    }
    boolean stuck = response.writeQueueFull();
    end(error.status());
    response.end(Buffer.buffer(JsonBytes.of("data: ", out -> Json.error(out, error), "\n\n")));
    if (stuck) {
      response.reset(); // nobody reads: do not wait for it
    }
  }

  /** Takes the rest of an answer back, and the connection with it where that is all there is. */
  void cutOff() {
    request.connection().close();
  }

  private void gone() {
    if (!over) {
      end(499);
      onGone.run();
    }
  }

  private void end(int status) {
    over = true;
    metrics.answered(
        request.method().name(),
        route,
        status,
        (System.nanoTime() - arrivalNanos) / (double) TimeUnit.SECONDS.toNanos(1));
  }
}
