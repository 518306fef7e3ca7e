package dev.sluice.worker.model;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** Serves one file on the loopback, with the faults that a test asks for. */
final class FileServer implements AutoCloseable {
  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final byte[] content;
  private final CountDownLatch closed = new CountDownLatch(1);

  /** The {@code Range} of each request, or an empty text. */
  final List<String> ranges = new CopyOnWriteArrayList<>();

  /** Responses that end in the middle of what is left, from the first on. */
  final AtomicInteger cuts = new AtomicInteger();

  /** Responses that stop in the middle of what is left and stay open. */
  final AtomicInteger stalls = new AtomicInteger();

  volatile boolean ignoresRanges;
  volatile int status = 200;

  /** Counted down when the first request is there. */
  final CountDownLatch asked = new CountDownLatch(1);

  /** Responses wait for it. */
  volatile CountDownLatch mayAnswer = new CountDownLatch(0);

  FileServer(byte[] content) throws IOException {
    this.content = content;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/file", this::serve);
    server.createContext(
        "/moved",
        exchange -> {
          exchange.getResponseHeaders().set("Location", url().toString());
          exchange.sendResponseHeaders(302, -1);
          exchange.close();
        });
    server.start();
  }

  URI url() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/file");
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      String header = exchange.getRequestHeaders().getFirst("Range");
      String range = header == null ? "" : header;
      ranges.add(range);
      asked.countDown();
      mayAnswer.await();
      if (status != 200) {
        exchange.sendResponseHeaders(status, -1);
        return;
      }
      int from =
          range.isEmpty() || ignoresRanges
              ? 0
              : Integer.parseInt(range.substring("bytes=".length(), range.length() - 1));
      if (from >= content.length) {
        exchange.sendResponseHeaders(416, -1);
        return;
      }
      if (from > 0) {
        exchange
            .getResponseHeaders()
            .set(
                "Content-Range",
                "bytes %d-%d/%d".formatted(from, content.length - 1, content.length));
      }
      exchange.sendResponseHeaders(from > 0 ? 206 : 200, content.length - from);
      send(exchange.getResponseBody(), from);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void send(OutputStream body, int from) throws IOException, InterruptedException {
    int middle = from + (content.length - from) / 2;
    if (cuts.getAndDecrement() > 0) {
      body.write(Arrays.copyOfRange(content, from, middle));
      body.flush();
    } else if (stalls.getAndDecrement() > 0) {
      body.write(Arrays.copyOfRange(content, from, middle));
      body.flush();
      closed.await();
    } else {
      body.write(Arrays.copyOfRange(content, from, content.length));
    }
  }

  @Override
  public void close() {
    closed.countDown();
    mayAnswer.countDown();
    server.stop(0);
    threads.shutdownNow();
  }
}
