package dev.sluice.router.http;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a connection may take without a request: so long until its first, so long between two. What
 * it sends meanwhile counts for nothing, so headers that come byte by byte end with it. Bodies have
 * a time of their own.
 *
 * <p>Threading: one event loop; the number of connections is shared with the others.
 */
final class ConnectionLimits {
  private static final Logger log = LoggerFactory.getLogger(ConnectionLimits.class);

  private final long requestMillis;
  private final long keepAliveMillis;
  private final int maxConnections;
  private final AtomicInteger connections;
  private final Vertx vertx;
  private final Map<HttpConnection, Pending> idle = new IdentityHashMap<>();

  /** A connection. Threading: as its owner. */
  private static final class Pending {
    long timer;
    int requests; // that run
  }

  /**
   * @param connections that are open, on all event loops
   */
  ConnectionLimits(HttpConfig config, AtomicInteger connections, Vertx vertx) {
    requestMillis = config.requestTimeout().toMillis();
    keepAliveMillis = config.keepAliveTimeout().toMillis();
    maxConnections = config.maxConnections();
    this.connections = connections;
    this.vertx = vertx;
  }

  /** A connection is there. */
  void opened(HttpConnection connection) {
    if (connections.incrementAndGet() > maxConnections) {
      log.debug("a connection beyond {} is closed", maxConnections);
      connection.closeHandler(_ -> connections.decrementAndGet());
      connection.close();
      return;
    }
    Pending pending = new Pending();
    idle.put(connection, pending);
    connection.closeHandler(_ -> {
      connections.decrementAndGet();
      idle.remove(connection);
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
    Pending pending = idle.get(connection);
    if (pending != null) {
      vertx.cancelTimer(pending.timer);
      pending.requests++;
      request.response().endHandler(_ -> {
        pending.requests--;
        if (pending.requests == 0 && idle.containsKey(connection)) {
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
