package dev.sluice.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.v1.GenerateRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class BenchCommandTest {
  private CountingService service;

  @BeforeEach
  void start() throws Exception {
    service = new CountingService();
  }

  @AfterEach
  void stop() throws Exception {
    service.stop();
  }

  private Run bench(String... args) {
    String[] all = new String[args.length + 3];
    all[0] = "bench";
    all[1] = "--target";
    all[2] = service.target();
    System.arraycopy(args, 0, all, 3, args.length);
    return Run.of(all);
  }

  private static JsonNode json(String text) throws Exception {
    return new ObjectMapper().readTree(text);
  }

  @Test
  void countsWhatIsSentAndWhatComesBack() throws Exception {
    Run run = bench("-n", "20", "--input-len", "10", "--output-len", "5", "-c", "4", "-o", "json");
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode json = json(run.out());
    assertThat(json.path("completed").asInt()).isEqualTo(20);
    assertThat(json.path("failed").asInt()).isZero();
    assertThat(json.path("total_input_tokens").asInt()).isEqualTo(200);
    assertThat(json.path("total_output_tokens").asInt()).isEqualTo(100);
    assertThat(json.path("num_prompts").asInt()).isEqualTo(20);
    for (String time : List.of("ttft", "tpot", "itl", "e2el")) {
      assertThat(json.path("median_" + time + "_ms").asDouble()).isPositive();
      assertThat(json.path("p99_" + time + "_ms").asDouble())
          .isGreaterThanOrEqualTo(json.path("median_" + time + "_ms").asDouble());
    }
    assertThat(service.requests).hasSize(21); // one to warm up
    assertThat(service.requests)
        .allSatisfy(r -> assertThat(r.getStopping().getIgnoreEos()).isTrue());
  }

  @Test
  void aClosedLoopKeepsItsConcurrency() {
    service.holdUntil(3);
    Run run = bench("-n", "30", "-c", "3", "--warm-up", "0", "--output-len", "2");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(service.mostInFlight()).isEqualTo(3);
  }

  @Test
  void anOpenLoopDoesNotWaitForAnswers() {
    service.holdUntil(20); // a closed loop would never get there
    Run run = bench("-n", "20", "-r", "1000", "--warm-up", "0", "--output-len", "2");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(service.mostInFlight()).isEqualTo(20);
  }

  @Test
  void theSameSeedSendsTheSamePrompts() throws Exception {
    List<String> flags = List.of("-n", "5", "--warm-up", "0", "-c", "1", "--length-spread", "0.5");
    assertThat(bench(flags.toArray(String[]::new)).code()).isZero();
    List<List<Integer>> first = prompts();
    service.requests.clear();
    assertThat(bench(flags.toArray(String[]::new)).code()).isZero();
    assertThat(prompts()).isEqualTo(first);
    assertThat(first.stream().map(List::size).distinct().count()).isGreaterThan(1);
  }

  private List<List<Integer>> prompts() {
    return service.requests.stream().map(r -> r.getTokenIds().getIdsList()).toList();
  }

  @Test
  void aConversationGrows() {
    Run run =
        bench(
            "--workload",
            "multi-turn",
            "-n",
            "3",
            "--turns",
            "3",
            "--prefix-len",
            "16",
            "--input-len",
            "8",
            "--output-len",
            "4",
            "--warm-up",
            "0");
    assertThat(run.code()).as(run.err()).isZero();
    Map<String, List<GenerateRequest>> sessions =
        service.requests.stream().collect(Collectors.groupingBy(GenerateRequest::getSessionId));
    assertThat(sessions).hasSize(3);
    List<Integer> head = service.requests.getFirst().getTokenIds().getIdsList().subList(0, 16);
    for (List<GenerateRequest> session : sessions.values()) {
      List<List<Integer>> prompts =
          session.stream()
              .map(r -> r.getTokenIds().getIdsList())
              .sorted(Comparator.comparingInt(List::size))
              .toList();
      assertThat(prompts).extracting(List::size).containsExactly(24, 24 + 12, 24 + 24);
      assertThat(prompts.getFirst().subList(0, 16)).isEqualTo(head);
      assertThat(prompts.get(1).subList(0, 24)).isEqualTo(prompts.get(0));
      assertThat(prompts.get(1).subList(24, 28)).containsOnly(CountingService.TOKEN);
      assertThat(prompts.get(2).subList(0, 36)).isEqualTo(prompts.get(1));
    }
  }

  @Test
  void sharedPrefixesAreShared() {
    Run run =
        bench(
            "--workload",
            "shared-prefix",
            "-n",
            "40",
            "--prefixes",
            "2",
            "--prefix-len",
            "32",
            "--input-len",
            "4",
            "--output-len",
            "1",
            "--warm-up",
            "0");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(prompts().stream().map(p -> p.subList(0, 32)).distinct()).hasSize(2);
    assertThat(prompts().stream().distinct()).hasSize(40);
  }

  @Test
  void aTraceIsPlayed(@TempDir Path folder) throws Exception {
    Path trace = folder.resolve("trace.jsonl");
    Files.writeString(
        trace,
        """
        {"timestamp": 100, "input_length": 600, "output_length": 3, "hash_ids": [7, 8]}
        {"timestamp": 130, "input_length": 700, "output_length": 2, "hash_ids": [7, 9]}
        """);
    Run run =
        bench(
            "--workload",
            "trace",
            "--trace",
            trace.toString(),
            "--warm-up",
            "0",
            "-o",
            "json",
            "--trace-speed",
            "2");
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode json = json(run.out());
    assertThat(json.path("total_input_tokens").asInt()).isEqualTo(1300);
    assertThat(json.path("total_output_tokens").asInt()).isEqualTo(5);
    assertThat(json.path("duration").asDouble()).isGreaterThan(0.015);
    assertThat(prompts().get(0).subList(0, 512)).isEqualTo(prompts().get(1).subList(0, 512));
    assertThat(prompts().get(0).get(512)).isNotEqualTo(prompts().get(1).get(512));
  }

  @Test
  void failuresAreCountedByReason() throws Exception {
    service.refuse(5);
    Run run =
        bench("-n", "20", "-c", "2", "--warm-up", "0", "-o", "json", "--goodput", "e2el:60000");
    assertThat(run.code()).isZero();
    JsonNode json = json(run.out());
    assertThat(json.path("completed").asInt()).isEqualTo(15);
    assertThat(json.path("failed").asInt()).isEqualTo(5);
    assertThat(json.path("errors").path("RESOURCE_EXHAUSTED QUEUE_FULL").asInt()).isEqualTo(5);
    assertThat(json.path("request_goodput").asDouble())
        .isEqualTo(json.path("request_throughput").asDouble());
  }

  @Test
  void nothingCompletedIsAFailure() {
    service.refuse(Integer.MAX_VALUE);
    Run run = bench("-n", "4", "--warm-up", "0");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out()).contains("Requests failed").contains("RESOURCE_EXHAUSTED QUEUE_FULL");
    assertThat(bench("-n", "4").err())
        .isEqualTo("sluice: the first request failed: RESOURCE_EXHAUSTED QUEUE_FULL\n");
  }

  @Test
  void everyRequestIsSavedIfAskedFor(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("result.json");
    Run run = bench("-n", "6", "--output-len", "4", "--save", file.toString());
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode json = json(Files.readString(file));
    assertThat(json.path("ttfts")).hasSize(6);
    assertThat(json.path("itls")).hasSize(6).allSatisfy(g -> assertThat(g).hasSize(3));
    assertThat(json.path("output_lens")).allSatisfy(n -> assertThat(n.asInt()).isEqualTo(4));
  }

  @Test
  void wrongInputIsNamed(@TempDir Path folder) throws Exception {
    assertThat(bench("--requests", "0").err())
        .isEqualTo("sluice: --requests: 0 (expected: 1 or more)\n");
    assertThat(bench("--request-rate", "-1").err())
        .isEqualTo("sluice: --request-rate: -1.0 (expected: above 0)\n");
    assertThat(bench("-c", "2", "-r", "3").err())
        .isEqualTo("sluice: --concurrency and --request-rate (expected: one of them)\n");
    assertThat(bench("--goodput", "ttft").err())
        .isEqualTo(
            "sluice: --goodput: ttft (expected: ttft, tpot, itl or e2el, a colon, and"
                + " milliseconds)\n");
    assertThat(bench("--workload", "x").err())
        .isEqualTo(
            "sluice: --workload: x (expected: random, shared-prefix, multi-turn or trace)\n");
    assertThat(bench("--model", "x").err())
        .isEqualTo("sluice: --model: x (expected: one of [fake])\n");
    Path trace = folder.resolve("trace.jsonl");
    Files.writeString(trace, "{\"timestamp\": 1, \"input_length\": 0}\n");
    assertThat(bench("--workload", "trace", "--trace", trace.toString()).err())
        .isEqualTo("sluice: " + trace + ", line 1: input_length: 0 (expected: 1 to 1048576)\n");
    assertThat(bench("--workload", "trace").err())
        .isEqualTo("sluice: --trace goes with --workload trace (expected: both or none)\n");
  }
}
