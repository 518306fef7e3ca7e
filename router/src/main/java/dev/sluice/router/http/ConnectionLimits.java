package dev.sluice.router.http;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import java.util.IdentityHashMap;

/**
 * What a connection may take without a request: so long until its first, so long between two. What
 * it sends meanwhile counts for nothing, so headers that come byte by byte end with it. Bodies have
 * a time of their own.
 *
 * <p>Threading: one event loop.
 */
final class ConnectionLimits {
  private final long requestMillis;
  private final long keepAliveMillis;
  private final Vertx vertx;
  private final IdentityHashMap<HttpConnection, Pending> connections = new IdentityHashMap<>();

  /** A connection. Threading: as its owner. */
  private static final class Pending {
    long timer;
    int requests; // that run
  }

  ConnectionLimits(HttpConfig config, Vertx vertx) {
    requestMillis = config.requestTimeout().toMillis();
    keepAliveMillis = config.keepAliveTimeout().toMillis();
    this.vertx = vertx;
  }

  /** A connection speaks HTTP. */
  void opened(HttpConnection connection) {
    Pending pending = new Pending();
    connections.put(connection, pending);
    connection.closeHandler(_ -> {
      connections.remove(connection);
      vertx.cancelTimer(pending.timer);
    });
    pending.timer = closeAfter(requestMillis, connection);
  }

  private long closeAfter(long millis, HttpConnection connection) {
    return vertx.setTimer(millis, _ -> connection.close());
  }

  /** The headers of a request are there. */
  void begins(HttpServerRequest request) {
    HttpConnection connection = request.connection();
    Pending pending = connections.get(connection);
    if (pending != null) {
      vertx.cancelTimer(pending.timer);
      pending.requests++;
      request
          .response()
          .endHandler(_ -> {
            pending.requests--;
            if (pending.requests == 0 && connections.containsKey(connection)) {
              vertx.cancelTimer(pending.timer);
              pending.timer = closeAfter(keepAliveMillis, connection);
            }
          });
    }
    if (!request.isEnded()) {
      long body = vertx.setTimer(requestMillis, _ -> request.response().reset());
      request.end().onComplete(_ -> vertx.cancelTimer(body));
    }
  }
}
