package dev.sluice.common.telemetry;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.sluice.common.error.ListenException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Serves {@code GET /metrics} on a port of its own. Threading: a virtual thread per request. */
final class MetricsEndpoint implements AutoCloseable {
  private final HttpServer server;
  private final ExecutorService handlers;
  private final Scrape scrape;

  private MetricsEndpoint(HttpServer server, Scrape scrape) {
    this.server = server;
    this.scrape = scrape;
    handlers = Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("metrics-", 0).factory());
    server.setExecutor(handlers);
    server.createContext("/metrics", this::answer);
    server.start();
  }

  /**
   * @throws ListenException when the address cannot be had
   */
  static MetricsEndpoint start(String host, int port, Scrape scrape) {
    try {
      InetSocketAddress address = new InetSocketAddress(host, port);
      if (address.isUnresolved()) {
        throw new SocketException("unknown host");
      }
      return new MetricsEndpoint(HttpServer.create(address, 0), scrape);
    } catch (IOException e) {
      throw new ListenException("metrics", host, port, e);
    }
  }

  int port() {
    return server.getAddress().getPort();
  }

  @Override
  public void close() {
    server.stop(0);
    handlers.shutdownNow();
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      if (!exchange.getRequestMethod().equals("GET")) {
        exchange.getResponseHeaders().set("Allow", "GET");
        exchange.sendResponseHeaders(405, -1);
        return;
      }
      String accept = exchange.getRequestHeaders().getFirst("Accept");
      ByteArrayOutputStream page = new ByteArrayOutputStream();
      String contentType = scrape.write(accept == null ? "" : accept, page);
      exchange.getResponseHeaders().set("Content-Type", contentType);
      // 0 would mean chunked, -1 none
      exchange.sendResponseHeaders(200, page.size() == 0 ? -1 : page.size());
      try (OutputStream body = exchange.getResponseBody()) {
        page.writeTo(body);
      }
    }
  }
}
