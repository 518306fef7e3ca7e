package dev.sluice.router;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.common.server.AdminConfig;
import dev.sluice.common.server.PortFile;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.router.page.PageOptions;
import dev.sluice.router.testing.Answers;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.router.testing.Fleets;
import dev.sluice.v1.Load;
import io.grpc.ManagedChannel;
import io.grpc.channelz.v1.ChannelzGrpc;
import io.grpc.channelz.v1.GetServersRequest;
import io.grpc.netty.NettyChannelBuilder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The live page of a router over a fake worker, by HTTP; and the admin port. */
@Timeout(60)
class LivePageTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final Pattern LINK = Pattern.compile("(?:src|href)=\"(page/[^\"]+)\"");
  private static final Pattern IMPORT = Pattern.compile("from '\\./([^']+)'");

  private final HttpClient client = HttpClient.newHttpClient();
  private final FakeWorker worker = FakeWorker.start("w1");
  private RouterFixture router = RouterFixture.over(worker);

  @AfterEach
  void close() {
    router.close();
    worker.close();
    client.close();
  }

  private void restart(PageOptions page, Optional<Integer> adminPort, Optional<Path> portFile) {
    router.close();
    TestConfig config =
        new TestConfig(worker)
            .page(page)
            .admin(new AdminConfig(AdminConfig.DEFAULTS.host(), adminPort));
    portFile.ifPresent(config::portFile);
    router = RouterFixture.start(config.build(), Telemetry.noop());
    Fleets.awaitReady(router.fleet(), 1);
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(router.http(path)).timeout(Duration.ofSeconds(20));
  }

  private HttpResponse<String> get(String path) throws Exception {
    return client.send(request(path).build(), BodyHandlers.ofString());
  }

  @ParameterizedTest
  @CsvSource({
    "/, text/html; charset=utf-8",
    "/page/page.css, text/css; charset=utf-8",
    "/page/main.js, text/javascript; charset=utf-8",
    "/page/icon.svg, image/svg+xml"
  })
  void filesHaveTheirTypeAndMayLoadNothingFromElsewhere(String path, String type) throws Exception {
    HttpResponse<String> response = get(path);
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("content-type")).hasValue(type);
    assertThat(response.headers().firstValue("content-security-policy").orElseThrow())
        .startsWith("default-src 'none';")
        .contains("script-src 'self';", "frame-ancestors 'none'")
        .doesNotContain("unsafe");
    assertThat(response.headers().firstValue("x-content-type-options")).hasValue("nosniff");
    assertThat(response.headers().firstValue("cache-control")).hasValue("no-cache");
    assertThat(response.headers().allValues("access-control-allow-origin")).isEmpty();
    assertThat(response.body()).doesNotContain("http-equiv", "<style", "style=\"");
  }

  /** The page and all that it names is there; what is named is not of another site. */
  @Test
  void nothingIsMissing() throws Exception {
    String page = get("/").body();
    assertThat(page).doesNotContain("<script>", "onclick", "//cdn").contains("type=\"module\"");
    Matcher links = LINK.matcher(page);
    int found = 0;
    while (links.find()) {
      assertThat(get("/" + links.group(1)).statusCode()).describedAs(links.group(1)).isEqualTo(200);
      found++;
    }
    assertThat(found).isGreaterThanOrEqualTo(4);
    for (String module :
        new String[] {"main", "feed", "format", "charts", "fleet", "requests", "prompt"}) {
      Matcher imports = IMPORT.matcher(get("/page/" + module + ".js").body());
      while (imports.find()) {
        assertThat(get("/page/" + imports.group(1)).statusCode())
            .describedAs(imports.group(1))
            .isEqualTo(200);
      }
    }
  }

  @Test
  void anUnchangedFileIsNotSentAgain() throws Exception {
    String tag = get("/").headers().firstValue("etag").orElseThrow();
    HttpResponse<String> again =
        client.send(request("/").header("If-None-Match", tag).build(), BodyHandlers.ofString());
    assertThat(again.statusCode()).isEqualTo(304);
    assertThat(again.body()).isEmpty();
    HttpResponse<String> other =
        client.send(request("/").header("If-None-Match", "\"x\"").build(), BodyHandlers.ofString());
    assertThat(other.statusCode()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/page", "/page/", "/page/nothing.js", "/page/../index.html", "/index.html", "/x"})
  void otherPathsAreNotThere(String path) throws Exception {
    assertThat(get(path).statusCode()).isEqualTo(404);
  }

  @Test
  void onlyReading() throws Exception {
    HttpResponse<String> post =
        client.send(
            request("/").POST(HttpRequest.BodyPublishers.ofString("x")).build(),
            BodyHandlers.ofString());
    assertThat(post.statusCode()).isEqualTo(405);
    assertThat(post.headers().firstValue("allow")).hasValue("GET, HEAD");
    HttpResponse<String> head =
        client.send(
            request("/").method("HEAD", HttpRequest.BodyPublishers.noBody()).build(),
            BodyHandlers.ofString());
    assertThat(head.statusCode()).isEqualTo(200);
    assertThat(head.headers().firstValueAsLong("content-length").orElseThrow()).isPositive();
  }

  /** A stream of events that a test reads. */
  private final class Following implements AutoCloseable {
    private final HttpResponse<InputStream> response;
    private final BufferedReader lines;

    Following() throws Exception {
      response = client.send(request("/page/events").build(), BodyHandlers.ofInputStream());
      lines = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
    }

    /** The next message that satisfies the condition. */
    JsonNode await(Predicate<JsonNode> condition) throws IOException {
      while (true) {
        String line = lines.readLine();
        assertThat(line).describedAs("the stream has not ended").isNotNull();
        if (line.startsWith("data: ")) {
          JsonNode message = MAPPER.readTree(line.substring("data: ".length()));
          if (condition.test(message)) {
            return message;
          }
        }
      }
    }

    /** Reads on until the stream has ended. */
    void awaitEnd() throws IOException {
      while (lines.readLine() != null) {
        // what was on its way
      }
    }

    @Override
    public void close() throws IOException {
      response.body().close();
    }
  }

  @Test
  void everythingFirstThenWhatIsNew() throws Exception {
    try (Following page = new Following()) {
      assertThat(page.response.headers().firstValue("content-type")).hasValue("text/event-stream");
      assertThat(page.response.headers().firstValue("content-security-policy")).isPresent();
      JsonNode snapshot = page.await(message -> true);
      assertThat(snapshot.path("kind").asText()).isEqualTo("snapshot");
      worker.watchers().tell(Load.newBuilder().setRunningRequests(5).setKvBlocksTotal(9).build());
      JsonNode update = page.await(m -> m.at("/sample/running").asInt() == 5);
      assertThat(update.at("/workers/0/name").asText()).isEqualTo("w1");
      assertThat(update.at("/workers/0/state").asText()).isEqualTo("ready");
      worker.kill();
      JsonNode lost = page.await(m -> m.at("/workers/0/state").asText().equals("suspect"));
      assertThat(lost.at("/workers/0/reason").asText()).isNotEmpty();
      assertThat(lost.at("/workers/0/load").isNull()).isTrue();
    }
  }

  @Test
  void aRequestIsShownWithoutItsText() throws Exception {
    worker.script(worker.answer(3));
    try (Following page = new Following()) {
      HttpResponse<String> answer =
          client.send(
              request("/v1/completions")
                  .header("x-request-id", "mine")
                  .POST(HttpRequest.BodyPublishers.ofString("{\"prompt\":\"a secret\"}"))
                  .build(),
              BodyHandlers.ofString());
      assertThat(answer.statusCode()).isEqualTo(200);
      JsonNode message = page.await(m -> !m.path("requests").isEmpty());
      JsonNode shown = message.at("/requests/0");
      assertThat(shown.path("id").asText()).endsWith("mine");
      assertThat(shown.path("status").asText()).isEqualTo("OK");
      assertThat(shown.path("model").asText()).isEqualTo("m");
      assertThat(shown.path("finish").asText()).isEqualTo("stop_eos");
      assertThat(shown.path("outputTokens").asInt()).isEqualTo(3);
      assertThat(shown.at("/attempts/0/worker").asText()).isEqualTo("w1");
      assertThat(shown.at("/attempts/0/outcome").asText()).isEqualTo("answered");
      assertThat(shown.at("/attempts/0/first").isNumber()).isTrue();
      assertThat(shown.path("end").asLong())
          .isGreaterThanOrEqualTo(shown.at("/attempts/0/end").asLong());
    }
    HttpResponse<String> state = get("/page/state"); // and whoever comes later sees it, too
    assertThat(state.headers().firstValue("content-type")).hasValue("application/json");
    assertThat(MAPPER.readTree(state.body()).at("/requests/0/id").asText()).endsWith("mine");
    assertThat(state.body()).doesNotContain("secret").doesNotContain("t0 t1");
  }

  /** The last message is all that a client waits for; the worker's trailers may come later. */
  @Test
  void aCompleteAnswerIsNotShownAsCancelled() throws Exception {
    CountDownLatch read = new CountDownLatch(1);
    worker.script((request, stream) -> {
      Answers.stream("w1", request, 3).forEach(stream::onNext);
      try {
        assertThat(read.await(20, TimeUnit.SECONDS)).isTrue();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      stream.onCompleted();
    });
    try (Following page = new Following()) {
      HttpResponse<String> answer =
          client.send(
              request("/v1/completions")
                  .version(HttpClient.Version.HTTP_1_1)
                  .POST(
                      HttpRequest.BodyPublishers.ofString("{\"prompt\":\"hello\",\"stream\":true}"))
                  .build(),
              BodyHandlers.ofString());
      assertThat(answer.body()).endsWith("data: [DONE]\n\n");
      read.countDown();
      JsonNode shown = page.await(m -> !m.path("requests").isEmpty()).at("/requests/0");
      assertThat(shown.path("status").asText()).isEqualTo("OK");
    }
  }

  @Test
  void aRefusedRequestIsShownWithItsReason() throws Exception {
    try (Following page = new Following()) {
      var _ = router.generate(RouterFixture.prompt("nobody")).rest();
      JsonNode shown = page.await(m -> !m.path("requests").isEmpty()).at("/requests/0");
      assertThat(shown.path("status").asText()).isEqualTo("NOT_FOUND");
      assertThat(shown.path("reason").asText()).isEqualTo("NOT_FOUND");
      assertThat(shown.path("attempts")).isEmpty();
    }
  }

  @Test
  void onlySoManyMayFollow() throws Exception {
    restart(
        new PageOptions(true, Duration.ofMinutes(1), 10, 1), Optional.empty(), Optional.empty());
    try (Following first = new Following()) {
      first.await(message -> true);
      HttpResponse<String> second = get("/page/events");
      assertThat(second.statusCode()).isEqualTo(503);
      assertThat(second.headers().firstValue("retry-after")).isPresent();
    }
    int status;
    do { // the place is free once the router has seen that the first one is gone
      HttpResponse<InputStream> next =
          client.send(request("/page/events").build(), BodyHandlers.ofInputStream());
      status = next.statusCode();
      next.body().close();
    } while (status != 200);
  }

  @Test
  void whoFollowsDoesNotKeepTheRouterFromStopping() throws Exception {
    try (Following page = new Following()) {
      page.await(message -> true);
      long before = System.nanoTime();
      router.router().close();
      page.awaitEnd();
      assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(5));
    }
  }

  @Test
  void thePageCanBeTurnedOff() throws Exception {
    restart(
        new PageOptions(false, Duration.ofMinutes(1), 10, 1), Optional.empty(), Optional.empty());
    assertThat(get("/").statusCode()).isEqualTo(404);
    assertThat(get("/page/state").statusCode()).isEqualTo(404);
    assertThat(get("/health").statusCode()).isEqualTo(200);
  }

  @Test
  void channelzIsOnTheAdminPortAlone(@TempDir Path folder) throws Exception {
    Path ports = folder.resolve("ports");
    restart(PageOptions.DEFAULTS, Optional.of(0), Optional.of(ports));
    int admin = requireNonNull(PortFile.read(ports).orElseThrow().get("admin"));
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", admin).usePlaintext().build();
    try {
      assertThat(
              ChannelzGrpc.newBlockingStub(channel)
                  .getServers(GetServersRequest.getDefaultInstance())
                  .getServerList())
          .hasSizeGreaterThanOrEqualTo(2); // the router's and this one
    } finally {
      channel.shutdownNow();
    }
    assertThat(
            catchThrowable(() ->
                ChannelzGrpc.newBlockingStub(router.channel())
                    .getServers(GetServersRequest.getDefaultInstance())))
        .hasMessageContaining("UNIMPLEMENTED");
  }
}
