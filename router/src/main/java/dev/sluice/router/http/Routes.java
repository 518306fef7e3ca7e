package dev.sluice.router.http;

import dev.sluice.common.config.BuildInfo;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.router.edge.JsonBytes;
import dev.sluice.router.page.LivePage;
import dev.sluice.v1.GenerateRequest;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which path leads where.
 *
 * <p>Threading: any event loop; immutable.
 */
final class Routes {
  private static final Logger log = LoggerFactory.getLogger(Routes.class);
  private static final String MODELS = "/v1/models";
  private static final byte[] NOTHING = {};
  private static final byte[] VERSION = version();

  private final int maxBody;
  private final HttpMetrics metrics;
  private final Telemetry telemetry;
  private final Models models;
  private final Generating generating;
  private final Tokens tokens;
  private final Executor waiting;
  private final Optional<LivePage> page;

  /**
   * @param maxBody bytes
   * @param waiting runs tasks that take long
   */
  Routes(
      int maxBody,
      HttpMetrics metrics,
      Telemetry telemetry,
      Models models,
      Generating generating,
      Executor waiting,
      Optional<LivePage> page) {
    this.maxBody = maxBody;
    this.metrics = metrics;
    this.telemetry = telemetry;
    this.models = models;
    this.generating = generating;
    this.tokens = new Tokens(models);
    this.waiting = waiting;
    this.page = page;
  }

  /**
   * Answers a request that was let in.
   *
   * @param rules what requests become of this caller, or RefusalException
   */
  void handle(HttpServerRequest request, UnaryOperator<GenerateRequest> rules) {
    String path = request.path() == null ? "" : request.path();
    switch (path) {
      case "/v1/chat/completions" ->
          post(
              request,
              path,
              (exchange, body) -> generating.generate(exchange, Shape.CHAT, body, rules));
      case "/v1/completions" ->
          post(
              request,
              path,
              (exchange, body) -> generating.generate(exchange, Shape.TEXT, body, rules));
      case "/tokenize" ->
          post(
              request,
              path,
              (exchange, body) ->
                  generating.translate(exchange, body, b -> answer(exchange, tokens.tokenize(b))));
      case "/detokenize" ->
          post(
              request,
              path,
              (exchange, body) ->
                  generating.translate(
                      exchange, body, b -> answer(exchange, tokens.detokenize(b))));
      case MODELS -> get(request, path, exchange -> exchange.json(models.list()));
      case "/health" -> get(request, path, this::health);
      case "/metrics" -> get(request, path, this::metrics);
      case "/version" -> get(request, path, exchange -> exchange.json(VERSION));
      default -> {
        if (path.startsWith(MODELS + "/")) {
          String name = path.substring(MODELS.length() + 1);
          get(request, MODELS + "/{model}", exchange -> model(exchange, name));
        } else if (page.isEmpty() || !page.get().handle(request)) {
          new Exchange(request, "", metrics)
              .fail(ApiError.invalid(404, "path: no such resource, " + path));
        }
      }
    }
  }

  private interface Endpoint {
    void answer(Exchange exchange);
  }

  private interface BodyEndpoint {
    void answer(Exchange exchange, byte[] body);
  }

  private static Runnable answer(Exchange exchange, byte[] json) {
    return () -> exchange.json(json);
  }

  private void get(HttpServerRequest request, String route, Endpoint endpoint) {
    Exchange exchange = new Exchange(request, route, metrics);
    if (request.method().equals(HttpMethod.GET)) {
      endpoint.answer(exchange);
    } else {
      notAllowed(exchange, "GET");
    }
  }

  private void post(HttpServerRequest request, String route, BodyEndpoint endpoint) {
    Exchange exchange = new Exchange(request, route, metrics);
    if (request.method().equals(HttpMethod.POST)) {
      Body.read(exchange, maxBody, body -> endpoint.answer(exchange, body));
    } else {
      notAllowed(exchange, "POST");
    }
  }

  private static void notAllowed(Exchange exchange, String allowed) {
    exchange.answerHeader("Allow", allowed);
    exchange.fail(
        ApiError.invalid(
            405, "method: " + exchange.request().method() + " (expected: " + allowed + ")"));
  }

  private void health(Exchange exchange) {
    exchange.whole(models.ready() ? 200 : 503, "text/plain", NOTHING);
  }

  private void model(Exchange exchange, String encoded) {
    String name;
    try {
      // of forms, where a plus is a space: in a path it is a plus
      name = URLDecoder.decode(encoded.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException _) {
      exchange.fail(
          ApiError.invalid(400, "path: " + encoded + " (expected: a name, percent-encoded)"));
      return;
    }
    Optional<byte[]> found = models.find(name);
    if (found.isPresent()) {
      exchange.json(found.get());
    } else {
      exchange.fail(ApiError.noModel(name));
    }
  }

  /** Written elsewhere: it may be large. */
  private void metrics(Exchange exchange) {
    String accept = exchange.header("Accept").orElse("");
    waiting.execute(() -> {
      ByteArrayOutputStream page = new ByteArrayOutputStream();
      Runnable next;
      try {
        String type = telemetry.writeMetrics(accept, page);
        next = () -> exchange.whole(200, type, page.toByteArray());
      } catch (IOException | RuntimeException e) {
        log.error("the metrics could not be written", e);
        next = () -> exchange.fail(ApiError.internal());
      }
      exchange.loop().execute(next);
    });
  }

  private static byte[] version() {
    return JsonBytes.of(out -> {
      out.writeStartObject();
      out.writeStringField("version", BuildInfo.version());
      out.writeEndObject();
    });
  }
}
