package dev.sluice.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.common.config.ConfigLoader;
import dev.sluice.common.config.Flags;
import dev.sluice.router.RouterConfig;
import dev.sluice.router.RouterMain;
import dev.sluice.worker.engine.ModelRunner.Geometry;
import dev.sluice.worker.simulation.ByteTokenizer;
import dev.sluice.worker.simulation.CostModel;
import dev.sluice.worker.simulation.SimulatedFleet;
import dev.sluice.worker.simulation.SimulatedWorkerOptions;
import java.io.StringReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xml.sax.InputSource;

/** {@code sluice bench --base-url} against a router's HTTP port, with simulated workers behind. */
@Timeout(300)
final class HttpBenchTest {
  private static final Duration READY = Duration.ofSeconds(60);
  private static SimulatedFleet workers;
  private static RouterMain router;

  @BeforeAll
  static void start() throws Exception {
    workers =
        SimulatedFleet.start(
            2,
            0,
            1,
            new SimulatedWorkerOptions(
                "simulated",
                new Geometry(ByteTokenizer.SIZE, 4096, 16, 1024, 1024, 64),
                new CostModel(1e6, 0, 0, 0, 0),
                256,
                true,
                Duration.ofSeconds(1)));
    List<String> flags =
        List.of(
            "--workers=" + String.join(",", workers.addresses()),
            "--server.port=0",
            "--http.port=0",
            "--telemetry.metrics-port=0");
    router =
        RouterMain.start(
            ConfigLoader.load(
                    RouterConfig.class,
                    RouterConfig.defaults(),
                    Optional.empty(),
                    Map.of(),
                    Flags.parse(RouterConfig.class, flags))
                .config());
    long deadline = System.nanoTime() + READY.toNanos();
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpRequest health =
          HttpRequest.newBuilder(URI.create(url().replace("/v1", "/health"))).build();
      while (client.send(health, BodyHandlers.discarding()).statusCode() != 200) {
        assertThat(System.nanoTime()).as("the workers are not ready").isLessThan(deadline);
      }
    }
  }

  @AfterAll
  static void stop() {
    router.close();
    workers.close();
  }

  private static String url() {
    return "http://127.0.0.1:" + router.httpPort().orElseThrow() + "/v1";
  }

  private static Run bench(String... args) {
    List<String> all = new ArrayList<>(List.of("bench", "--base-url", url()));
    all.addAll(List.of(args));
    return Run.of(all.toArray(String[]::new));
  }

  /** What a run that succeeds tells, with prompts of this form. */
  private static JsonNode measured(String form, String flags) throws Exception {
    String all = "--prompt-form " + form + " --vocab-size 256 -o json " + flags;
    Run run = bench(all.split(" ", -1));
    assertThat(run.code()).as(run.err()).isZero();
    return new ObjectMapper().readTree(run.out());
  }

  @ParameterizedTest
  @ValueSource(strings = {"text", "token-ids", "chat"})
  void countsWhatIsSentAndWhatComesBack(String form) throws Exception {
    JsonNode json = measured(form, "-n 20 --input-len 10 --output-len 12 -c 4");
    assertThat(json.path("backend").asText())
        .isEqualTo(form.equals("chat") ? "openai-chat" : "openai");
    assertThat(json.path("model_id").asText()).isEqualTo("simulated");
    assertThat(json.path("max_concurrency").asInt()).isEqualTo(4);
    assertThat(json.path("completed").asInt()).isEqualTo(20);
    assertThat(json.path("failed").asInt()).isZero();
    assertThat(json.path("total_output_tokens").asInt()).isEqualTo(240);
    if (form.equals("token-ids")) {
      assertThat(json.path("total_input_tokens").asInt()).isEqualTo(200);
    } else {
      assertThat(json.path("total_input_tokens").asInt()).isGreaterThan(200);
    }
    for (String time : List.of("ttft", "tpot", "itl", "e2el")) {
      assertThat(json.path("mean_" + time + "_ms").asDouble()).isPositive();
      assertThat(json.path("p99_" + time + "_ms").asDouble())
          .isGreaterThanOrEqualTo(json.path("median_" + time + "_ms").asDouble());
    }
  }

  /** The second turn finds the first one's blocks: it is a prefix of it, answer included. */
  @ParameterizedTest
  @ValueSource(strings = {"text", "token-ids"})
  void aConversationGrows(String form) throws Exception {
    JsonNode json =
        measured(
            form,
            "--workload multi-turn -n 4 --turns 3 --prefix-len 0 --input-len 32 --output-len 16"
                + " --warm-up 0 --seed 7");
    assertThat(json.path("completed").asInt()).isEqualTo(12);
    // two later turns each, at least with their first turn's prompt; how much more depends on which
    // blocks the router has heard of when the next turn comes
    assertThat(json.path("total_cached_tokens").asInt()).isGreaterThanOrEqualTo(4 * (32 + 32));
    if (form.equals("token-ids")) { // 32, 32 + 16 + 32, ...
      assertThat(json.path("total_input_tokens").asInt()).isEqualTo(4 * (32 + 80 + 128));
    }
  }

  @Test
  void picturesAreDrawn(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("plot.svg");
    Run run =
        bench("-n", "30", "--input-len", "8", "--output-len", "16", "--plot", file.toString());
    assertThat(run.code()).as(run.err()).isZero();
    String svg = Files.readString(file);
    DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(svg)));
    assertThat(svg)
        .contains("simulated, random, 8 at once", "30 requests, 0 failed", "Time to first token")
        .contains("prefers-color-scheme: dark")
        .doesNotContain("NaN", "Infinity");
  }

  @Test
  void whatIsRefusedIsToldInTheServersWords() throws Exception {
    assertThat(bench("--model", "gpt-9").err())
        .isEqualTo(
            "sluice: the first request failed: HTTP 404 model_not_found: model: \"gpt-9\""
                + " (expected: one of [simulated])\n");
    Run run = bench("--input-len", "6000", "--prompt-form", "token-ids", "--vocab-size", "256");
    assertThat(run.err())
        .startsWith("sluice: the first request failed: HTTP 400 context_length_exceeded: ");
    JsonNode json =
        new ObjectMapper()
            .readTree(bench("--model", "gpt-9", "-n", "3", "--warm-up", "0", "-o", "json").out());
    assertThat(json.path("errors").path("HTTP 404 model_not_found").asInt()).isEqualTo(3);
  }

  @Test
  void aWrongUrlIsNamed() {
    String root = url().replace("/v1", "");
    assertThat(Run.of("bench", "--base-url", root).err())
        .startsWith("sluice: --base-url: " + root + "/models: HTTP 404 ");
    assertThat(Run.of("bench", "--base-url", "http://127.0.0.1:1/v1").err())
        .startsWith(
            "sluice: --base-url: http://127.0.0.1:1/v1/models: no connection: 127.0.0.1:1 (is a");
    assertThat(Run.of("bench", "--base-url", "localhost:8080").err())
        .isEqualTo(
            "sluice: --base-url: localhost:8080 (expected: a URL such as"
                + " http://localhost:8080/v1)\n");
  }

  @Test
  void wrongFlagsAreNamed() {
    assertThat(bench("--target", "localhost:1").err())
        .isEqualTo("sluice: --target and --base-url (expected: one of them)\n");
    assertThat(bench("--prompt-form", "x").err())
        .isEqualTo("sluice: --prompt-form: x (expected: text, token-ids or chat)\n");
    assertThat(bench("--api-key-env", "NO_SUCH_VARIABLE").err())
        .isEqualTo(
            "sluice: --api-key-env: NO_SUCH_VARIABLE is not set (expected: a variable with the"
                + " key)\n");
    assertThat(Run.of("bench", "--prompt-form", "chat").err())
        .isEqualTo("sluice: --prompt-form goes with --base-url (expected: both or none)\n");
  }
}
