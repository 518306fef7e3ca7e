package dev.sluice.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SimulateCommandTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Test
  void simulatesMadeUpRequestsAndGivesTheSameFiguresEachTime() throws Exception {
    String[] arguments = {
      "simulate",
      "-n",
      "300",
      "-c",
      "16",
      "--tenants",
      "3",
      "--prefix-len",
      "128",
      "--cost",
      "gpu",
      "--noise",
      "0.1",
      "-o",
      "json"
    };
    JsonNode first = JSON.readTree(Run.of(arguments).out());
    JsonNode second = JSON.readTree(Run.of(arguments).out());
    assertThat(first.path("completed").asInt()).isEqualTo(300);
    assertThat(first.path("failed").asInt()).isZero();
    assertThat(first.path("prefix_hit_rate").asDouble()).isBetween(0.1, 0.5);
    assertThat(first.path("p99_ttft_ms").asDouble()).isPositive();
    assertThat(first.path("median_itl_ms").asDouble()).isPositive();
    assertThat(first.path("tenants").size()).isEqualTo(3);
    assertThat(second.path("duration")).isEqualTo(first.path("duration"));
    assertThat(second.path("p99_itl_ms")).isEqualTo(first.path("p99_itl_ms"));
  }

  @Test
  void readsATraceAndAMeasuredCost(@TempDir Path folder) throws Exception {
    Path trace = folder.resolve("trace.jsonl");
    Files.writeString(
        trace,
        """
        {"timestamp": 0, "input_length": 1024, "output_length": 4, "hash_ids": [1, 2]}

        {"timestamp": 9000, "input_length": 1100, "output_length": 4, "hash_ids": [1, 2, 3], \
        "tenant": "gold", "priority": 3, "ttft_target_ms": 60000, "timeout_ms": 90000}
        {"timestamp": 20000, "input_length": 64, "output_length": 4, "timeout_ms": 1}
        """);
    Path cost = folder.resolve("bench.jsonl");
    Files.writeString(
        cost,
        """
        {"workload": "serve-1", "prefill": 900, "decode": 70.0, "all": 80}
        {"workload": "serve-8", "prefill": 900, "decode": 350.0, "all": 400}
        {"workload": "prefill-128", "prefill": 930.0}
        {"workload": "prefill-512", "prefill": 830.0}
        """);
    Run run = Run.of("simulate", trace.toString(), "--cost", cost.toString(), "-o", "json");
    assertThat(run.err()).isEmpty();
    JsonNode json = JSON.readTree(run.out());
    assertThat(json.path("completed").asInt()).isEqualTo(2);
    assertThat(
            json.path("errors").path("DEADLINE").asInt()
                + json.path("errors").path("DEADLINE_EXCEEDED").asInt())
        .isEqualTo(1);
    assertThat(json.path("total_cached_tokens").asInt()).isBetween(1000, 1024);
    assertThat(json.path("mean_ttft_ms").asDouble()).isBetween(300.0, 3000.0);
  }

  @Test
  void printsATable() {
    Run run = Run.of("simulate", "-n", "20", "-c", "4", "--tenants", "2");
    assertThat(run.code()).isZero();
    assertThat(run.out())
        .contains("Requests completed                                       20")
        .contains("Inter-token latency")
        .contains("tenant-1: ")
        .contains("Simulated in ");
  }

  @Test
  void tellsWhatIsWrong(@TempDir Path folder) throws Exception {
    Path trace = folder.resolve("trace.jsonl");
    Files.writeString(trace, "{\"timestamp\": 5, \"input_length\": 0, \"output_length\": 4}\n");
    Run wrong = Run.of("simulate", trace.toString());
    assertThat(wrong.code()).isEqualTo(2);
    assertThat(wrong.err()).contains("line 1: input_length: 0 (expected: a number from 1");

    Run missing = Run.of("simulate", folder.resolve("none").toString());
    assertThat(missing.code()).isEqualTo(2);
    assertThat(missing.err()).contains("cannot be read");

    Run cost = Run.of("simulate", "--cost", folder.resolve("none").toString());
    assertThat(cost.code()).isEqualTo(2);
    assertThat(cost.err()).contains("expected: cpu, gpu, or a file");

    Run both = Run.of("simulate", "-c", "4", "-r", "2");
    assertThat(both.code()).isEqualTo(2);
    assertThat(both.err()).contains("--concurrency and --request-rate (expected: one of them)");
  }
}
