package dev.sluice.app.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.app.cli.FailedException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * A server with OpenAI's API, spoken to by HTTP/1.1 as its own clients do.
 *
 * <p>Threading: safe for use by many threads; {@link #close} ends what they wait for.
 */
final class OpenAiServer implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration CONNECTING = Duration.ofSeconds(10);
  private static final Duration CLOSING = Duration.ofSeconds(2);
  private static final Duration ASKING = Duration.ofSeconds(30); // for the list of models
  private static final int MOST_OF_AN_ERROR = 16 << 10; // bytes
  private static final int MOST_SHOWN = 200; // characters

  private final URI base;
  private final Optional<String> key;
  private final Optional<Duration> timeout;
  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private final ScheduledThreadPoolExecutor timer =
      new ScheduledThreadPoolExecutor(1, Thread.ofPlatform().daemon().name("deadlines").factory());
  private final HttpClient client;
  private volatile boolean closed;

  /**
   * @param base with the version, such as {@code http://localhost:8080/v1}
   * @param timeout of a request, until the end of its answer
   */
  OpenAiServer(URI base, Optional<String> key, Optional<Duration> timeout) {
    this.base = base;
    this.key = key;
    this.timeout = timeout;
    timer.setRemoveOnCancelPolicy(true);
    client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECTING)
            .executor(executor)
            .build();
  }

  /**
   * The first model that it lists.
   *
   * @throws FailedException if it lists none
   */
  String firstModel() {
    HttpRequest request = request("/models").timeout(timeout.orElse(ASKING)).GET().build();
    try (InputStream body = send(request).body()) {
      String first =
          JSON.readTree(body.readNBytes(1 << 20)).path("data").path(0).path("id").asText();
      if (!first.isEmpty()) {
        return first;
      }
      throw new HttpFailure("no model", "");
    } catch (HttpFailure | IOException e) {
      throw new FailedException(
          "--base-url: %s/models: %s (expected: a list of models; is this the URL of an OpenAI API, such as http://localhost:8080/v1? --model names one unasked)"
              .formatted(base, e.getMessage()),
          e);
    }
  }

  /** What is done with the data of each event but the last, {@code [DONE]}. */
  interface Events {
    void event(JsonNode data) throws HttpFailure;
  }

  /**
   * Sends a request and reads the events of its answer to their end.
   *
   * @param path after the base URL
   * @return whether the last one said that it was that
   * @throws HttpFailure if there is no answer, or not all of it
   */
  boolean stream(String path, ObjectNode body, Map<String, String> headers, Events events)
      throws HttpFailure {
    HttpRequest.Builder request = request("/" + path).header("Content-Type", "application/json");
    request.header("Accept", "text/event-stream");
    headers.forEach(request::header);
    timeout.ifPresent(request::timeout); // until the head of the answer
    long end = System.nanoTime() + timeout.map(Duration::toNanos).orElse(0L);
    request.POST(BodyPublishers.ofByteArray(bytes(body)));
    HttpResponse<InputStream> response = send(request.build());
    EventStream stream = new EventStream(response.body());
    Deadline deadline = new Deadline(stream);
    Optional<Future<?>> alarm =
        timeout.map(_ -> timer.schedule(deadline, end - System.nanoTime(), TimeUnit.NANOSECONDS));
    try (stream) {
      checkIsStream(response);
      Optional<String> data = stream.next();
      for (; data.isPresent() && !data.get().equals("[DONE]"); data = stream.next()) {
        events.event(JSON.readTree(data.get()));
      }
      if (data.isEmpty() && deadline.passed) {
        throw new HttpFailure("timeout", "");
      }
      return data.isPresent();
    } catch (JsonProcessingException e) {
      throw new HttpFailure("no JSON in an event", e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw broken(e, deadline.passed);
    } finally {
      alarm.ifPresent(a -> a.cancel(false));
    }
  }

  /** Ends an answer that takes too long. */
  private static final class Deadline implements Runnable {
    private final EventStream stream;
    private volatile boolean passed;

    Deadline(EventStream stream) {
      this.stream = stream;
    }

    @Override
    public void run() {
      passed = true;
      try {
        stream.close();
      } catch (IOException _) {
        // it has ended another way
      }
    }
  }

  private HttpRequest.Builder request(String path) {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + path));
    key.ifPresent(k -> request.header("Authorization", "Bearer " + k));
    return request;
  }

  private HttpResponse<InputStream> send(HttpRequest request) throws HttpFailure {
    HttpResponse<InputStream> response;
    try {
      response = client.send(request, BodyHandlers.ofInputStream());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HttpFailure("cancelled", "", e);
    } catch (IOException e) {
      throw broken(e, false);
    }
    if (response.statusCode() / 100 != 2) {
      throw refused(response);
    }
    return response;
  }

  private HttpFailure broken(IOException e, boolean late) {
    String server = base.getHost() + (base.getPort() < 0 ? "" : ":" + base.getPort());
    if (closed) {
      return new HttpFailure("cancelled", "", e);
    }
    if (late) {
      return new HttpFailure("timeout", "", e);
    }
    return switch (e) {
      case HttpConnectTimeoutException _ ->
          new HttpFailure("no connection", server + " within " + CONNECTING.toSeconds() + " s", e);
      case HttpTimeoutException _ -> new HttpFailure("timeout", "", e);
      case ConnectException _ ->
          new HttpFailure("no connection", server + " (is a server listening there?)", e);
      case IOException _ -> new HttpFailure("connection lost", String.valueOf(e.getMessage()), e);
    };
  }

  private static void checkIsStream(HttpResponse<InputStream> response) throws HttpFailure {
    String type = response.headers().firstValue("Content-Type").orElse("no type");
    if (!type.startsWith("text/event-stream")) {
      throw new HttpFailure("no event stream", type + " (expected: text/event-stream)");
    }
  }

  /** An answer that says no, in the words that the server has for it. */
  private static HttpFailure refused(HttpResponse<InputStream> response) {
    String kind = "HTTP " + response.statusCode();
    String text = "";
    try (InputStream body = response.body()) {
      text = new String(body.readNBytes(MOST_OF_AN_ERROR), StandardCharsets.UTF_8);
      return error(kind, JSON.readTree(text));
    } catch (JsonProcessingException _) {
      return new HttpFailure(kind, shown(text.strip()));
    } catch (IOException e) {
      return new HttpFailure(kind, String.valueOf(e.getMessage()), e);
    }
  }

  /**
   * A failure in OpenAI's shape, or what others make of it.
   *
   * @param kind what is known of it so far
   */
  static HttpFailure error(String kind, JsonNode body) {
    JsonNode error = body.path("error");
    if (!error.isObject()) { // such as {"detail": "Not Found"}
      return new HttpFailure(kind, shown(error.isTextual() ? error.asText() : body.toString()));
    }
    String code = error.path("code").asText("");
    String named = code.isEmpty() || Character.isDigit(code.charAt(0)) ? "" : code;
    String why = named.isEmpty() ? error.path("type").asText("") : named;
    return new HttpFailure(
        why.isEmpty() ? kind : kind + " " + shown(why), shown(error.path("message").asText("")));
  }

  private static String shown(String text) {
    return text.length() <= MOST_SHOWN ? text : text.substring(0, MOST_SHOWN) + "…";
  }

  private static byte[] bytes(ObjectNode body) {
    try {
      return JSON.writeValueAsBytes(body);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("cannot be: it is a tree", e);
    }
  }

  @Override
  public void close() {
    closed = true;
    timer.shutdownNow();
    client.shutdownNow();
    try {
      client.awaitTermination(CLOSING);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    executor.shutdownNow();
  }
}
