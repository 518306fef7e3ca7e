package dev.sluice.router.page;

import static java.util.Objects.requireNonNull;

import dev.sluice.common.config.BuildInfo;
import dev.sluice.router.fleet.FleetSnapshot;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

/**
 * What the page needs, by HTTP: its files, a stream of events with all that it shows, and the same
 * once as a document.
 *
 * <p>Its answers are not measured as requests: a stream lasts as long as somebody looks.
 *
 * <p>Threading: {@link #handle} on any event loop; the others from one thread.
 */
public final class LivePage implements AutoCloseable {
  private static final String EVENTS = "/page/events";
  private static final String STATE = "/page/state";

  /** Nothing from elsewhere, nothing inline, in nobody's frame. */
  private static final Map<String, String> HEADERS =
      Map.of(
          "Content-Security-Policy",
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
              + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
          "X-Content-Type-Options",
          "nosniff",
          "Referrer-Policy",
          "no-referrer",
          "Cross-Origin-Opener-Policy",
          "same-origin",
          "Cross-Origin-Resource-Policy",
          "same-origin");

  private final Assets assets = new Assets();
  private final Publisher publisher;

  /**
   * @param queued requests that wait in the router
   * @param policy name of the routing policy
   */
  public LivePage(
      PageOptions options,
      Supplier<FleetSnapshot> fleet,
      IntSupplier queued,
      RequestLog requests,
      String policy,
      Clock clock) {
    publisher =
        new Publisher(
            new PageJson.About(
                BuildInfo.version(), policy, clock.millis(), options.history().toSeconds()),
            fleet,
            new Sampler(
                fleet, queued, requests, clock, Math.toIntExact(options.history().toSeconds())),
            requests,
            options.viewers());
  }

  /** Begins to look at the fleet. */
  public void start() {
    publisher.start();
  }

  /** Answers a request if it is for the page; false if it is not. */
  public boolean handle(HttpServerRequest request) {
    String path = request.path() == null ? "" : request.path();
    Optional<Assets.Asset> asset = assets.find(path);
    boolean live = path.equals(EVENTS) || path.equals(STATE);
    if (asset.isEmpty() && !live) {
      return false;
    }
    HttpServerResponse response = request.response();
    HEADERS.forEach(response::putHeader);
    boolean get = request.method().equals(HttpMethod.GET);
    if (!get && (live || !request.method().equals(HttpMethod.HEAD))) {
      response.putHeader("Allow", live ? "GET" : "GET, HEAD");
      plain(response, 405, "method: " + request.method() + " (expected: GET)");
    } else if (asset.isPresent()) {
      file(request, asset.get());
    } else if (path.equals(EVENTS)) {
      follow(response);
    } else {
      state(response);
    }
    return true;
  }

  /** Browsers keep files, and ask each time whether they are still the same. */
  private static void file(HttpServerRequest request, Assets.Asset asset) {
    HttpServerResponse response = request.response();
    response.putHeader("ETag", asset.tag()).putHeader("Cache-Control", "no-cache");
    if (asset.tag().equals(request.getHeader("If-None-Match"))) {
      response.setStatusCode(304).end();
      return;
    }
    response.putHeader("Content-Type", asset.type());
    if (request.method().equals(HttpMethod.HEAD)) {
      response.putHeader("Content-Length", Integer.toString(asset.content().length)).end();
    } else {
      response.end(Buffer.buffer(asset.content()));
    }
  }

  private void follow(HttpServerResponse response) {
    Context loop = loop();
    response
        .setChunked(true)
        .putHeader("Content-Type", "text/event-stream")
        .putHeader("Cache-Control", "no-store")
        .putHeader("X-Accel-Buffering", "no"); // proxies on the way must not collect events
    Viewer viewer = new Viewer(response, loop);
    response.closeHandler(_ -> publisher.remove(viewer));
    response.exceptionHandler(_ -> publisher.remove(viewer));
    publisher.add(viewer, () -> loop.runOnContext(_ -> busy(response)));
  }

  private void state(HttpServerResponse response) {
    Context loop = loop();
    publisher.state(
        json ->
            loop.runOnContext(_ -> {
              if (!response.closed()) {
                response
                    .putHeader("Content-Type", "application/json")
                    .putHeader("Cache-Control", "no-store")
                    .end(Buffer.buffer(json));
              }
            }),
        () -> loop.runOnContext(_ -> busy(response)));
  }

  private static Context loop() {
    return requireNonNull(Vertx.currentContext(), "no event loop");
  }

  private static void busy(HttpServerResponse response) {
    if (!response.closed()) {
      response.putHeader("Retry-After", "5");
      plain(response.setChunked(false), 503, "too many look at the page, or the router stops");
    }
  }

  private static void plain(HttpServerResponse response, int status, String text) {
    response
        .setStatusCode(status)
        .putHeader("Content-Type", "text/plain; charset=utf-8")
        .end(text + "\n");
  }

  /** Ends the streams of events, which would else last as long as somebody looks. */
  public void endStreams() {
    publisher.endStreams();
  }

  @Override
  public void close() {
    publisher.close();
  }
}
