package dev.sluice.app.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.sluice.app.bench.Job.Turn;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Answers that are not as they should be, over a real socket. */
@Timeout(60)
final class OpenAiBackendTest {
  private static final String PART = "data: {\"choices\": [{\"text\": \"a \"}]}\n\n";
  private static final String END =
      "data: {\"choices\": [{\"text\": \"\", \"finish_reason\": \"length\"}]}\n\n";
  private static final String USAGE =
      """
      data: {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 3,
      data: "prompt_tokens_details": {"cached_tokens": 2}}}

      """;
  private static final String DONE = "data: [DONE]\n\n";

  private final CountDownLatch over = new CountDownLatch(1);
  private final CountDownLatch asked = new CountDownLatch(1);
  private final ExecutorService handlers = Executors.newVirtualThreadPerTaskExecutor();
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(handlers);
    server.start();
  }

  @AfterEach
  void stop() {
    over.countDown();
    server.stop(0);
    handlers.shutdownNow();
  }

  private interface Answer {
    void to(HttpExchange exchange) throws IOException;
  }

  private void answer(Answer answer) {
    server.createContext(
        "/v1/completions",
        exchange -> {
          exchange.getRequestBody().readAllBytes();
          asked.countDown();
          answer.to(exchange);
          exchange.close();
        });
  }

  /** A stream that ends as HTTP wants it. */
  private static void events(HttpExchange exchange, String... events) throws IOException {
    OutputStream body = begin(exchange);
    for (String event : events) {
      body.write(event.getBytes(StandardCharsets.UTF_8));
    }
    body.close();
  }

  private static OutputStream begin(HttpExchange exchange) throws IOException {
    exchange.getResponseHeaders().set("Content-Type", "text/event-stream; charset=utf-8");
    exchange.sendResponseHeaders(200, 0);
    return exchange.getResponseBody();
  }

  private static void whole(HttpExchange exchange, int status, String type, String body)
      throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  /** Keeps the answer back until the test is over. */
  private void hang() {
    try {
      assertThat(over.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private OpenAiBackend backend(Optional<Duration> timeout) {
    URI base = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/v1");
    return new OpenAiBackend(
        new OpenAiServer(base, Optional.empty(), timeout),
        "m",
        new RequestOptions(),
        PromptForm.TEXT,
        1000);
  }

  private static Outcome send(OpenAiBackend backend) {
    Turn turn = new Turn(List.of(1, 2, 3), 4);
    return backend
        .sender(System::nanoTime, _ -> {})
        .talk(Job.single(turn.tokens(), turn.outputTokens()))
        .send(turn, System.nanoTime());
  }

  private String failure(Optional<Duration> timeout) {
    try (OpenAiBackend backend = backend(timeout)) {
      return send(backend).described();
    }
  }

  private String failure() {
    return failure(Optional.empty());
  }

  @Test
  void theUsageIsTheServersAndTheTimesAreOurs() {
    answer(exchange -> events(exchange, ": hello\r\n\r\n", PART, PART, PART, END, USAGE, DONE));
    try (OpenAiBackend backend = backend(Optional.empty())) {
      Outcome outcome = send(backend);
      assertThat(outcome.failure()).isEmpty();
      assertThat(outcome.promptTokens()).isEqualTo(5);
      assertThat(outcome.cachedTokens()).isEqualTo(2);
      assertThat(outcome.outputTokens()).isEqualTo(3);
      assertThat(outcome.gaps()).hasSize(2);
      assertThat(outcome.ttft()).isPositive();
      assertThat(outcome.e2e()).isGreaterThanOrEqualTo(outcome.ttft());
    }
  }

  @Test
  void withoutUsageTheEventsAreCounted() {
    answer(exchange -> events(exchange, PART, PART, END, DONE));
    try (OpenAiBackend backend = backend(Optional.empty())) {
      assertThat(send(backend).outputTokens()).isEqualTo(2);
    }
  }

  @Test
  void refusalsInEveryShape() {
    answer(exchange ->
        whole(
            exchange,
            429,
            "application/json",
            "{\"error\": {\"message\": \"later\", \"type\": \"t\", \"code\": \"queue_full\"}}"));
    assertThat(failure()).isEqualTo("HTTP 429 queue_full: later");
    server.removeContext("/v1/completions");
    assertThat(failure()).startsWith("HTTP 404: <h1>404 Not Found</h1>");
    answer(exchange -> whole(exchange, 500, "text/plain", "x".repeat(100_000)));
    assertThat(failure()).startsWith("HTTP 500: xxx").hasSizeLessThan(300);
    server.removeContext("/v1/completions");
    answer(exchange ->
        whole(
            exchange, 400, "application/json", "{\"error\": {\"message\": \"m\", \"code\": 400}}"));
    assertThat(failure()).isEqualTo("HTTP 400: m");
    server.removeContext("/v1/completions");
    answer(exchange -> whole(exchange, 422, "application/json", "{\"detail\": \"no\"}"));
    assertThat(failure()).isEqualTo("HTTP 422: {\"detail\":\"no\"}");
  }

  @Test
  void anAnswerThatIsNoStream() {
    answer(exchange -> whole(exchange, 200, "application/json", "{\"choices\": []}"));
    assertThat(failure())
        .isEqualTo("no event stream: application/json (expected: text/event-stream)");
  }

  @Test
  void aStreamThatSaysNothingOfItsEnd() {
    answer(exchange -> events(exchange, PART));
    assertThat(failure()).isEqualTo("answer not complete: no finish_reason and no [DONE]");
  }

  @Test
  void aConnectionThatBreaks() {
    answer(exchange -> {
      OutputStream body = begin(exchange);
      body.write(PART.getBytes(StandardCharsets.UTF_8));
      body.flush();
      exchange.getHttpContext().getServer().stop(0); // with all its connections
    });
    assertThat(failure()).startsWith("connection lost: ");
  }

  @Test
  void aFailureInTheStream() {
    answer(exchange ->
        events(exchange, PART, "data: {\"error\": {\"message\": \"m\", \"type\": \"t\"}}\n\n"));
    assertThat(failure()).isEqualTo("error in the stream t: m");
  }

  @Test
  void anEventThatIsNoJson() {
    answer(exchange -> events(exchange, "data: {\"choices\n\n"));
    assertThat(failure()).startsWith("no JSON in an event: ");
  }

  @Test
  void aLineThatDoesNotEnd() {
    answer(exchange -> events(exchange, "data: " + "x".repeat(1 << 21)));
    assertThat(failure()).startsWith("connection lost: a line longer than ");
  }

  @Test
  void anAnswerThatDoesNotEnd() {
    answer(exchange -> {
      OutputStream body = begin(exchange);
      while (over.getCount() > 0) {
        body.write(PART.getBytes(StandardCharsets.UTF_8));
      }
    });
    assertThat(failure()).isEqualTo("answer too long: max_tokens is not kept to");
    over.countDown();
  }

  @Test
  void timePassesBeforeAndAfterTheFirstByte() {
    Optional<Duration> timeout = Optional.of(Duration.ofMillis(300));
    answer(_ -> hang());
    assertThat(failure(timeout)).isEqualTo("timeout");
    server.removeContext("/v1/completions");
    answer(exchange -> {
      OutputStream body = begin(exchange);
      body.write(PART.getBytes(StandardCharsets.UTF_8));
      body.flush();
      hang();
    });
    assertThat(failure(timeout)).isEqualTo("timeout");
  }

  @Test
  void closingCancelsWhatRuns() throws Exception {
    answer(exchange -> {
      OutputStream body = begin(exchange);
      body.write(PART.getBytes(StandardCharsets.UTF_8));
      body.flush();
      hang();
    });
    OpenAiBackend backend = backend(Optional.empty());
    CompletableFuture<Outcome> outcome =
        CompletableFuture.supplyAsync(() -> send(backend), handlers);
    assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
    backend.close();
    assertThat(outcome.get(30, TimeUnit.SECONDS).failure()).isEqualTo("cancelled");
  }
}
