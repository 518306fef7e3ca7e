package dev.sluice.app.simulate;

import static dev.sluice.app.cli.Figures.rounded;
import static dev.sluice.app.cli.Figures.row;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.worker.simulation.Histogram;
import dev.sluice.worker.simulation.SimulationResult;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Writes what was measured: a table for people, and JSON with the keys of {@code sluice bench}. */
final class SimulationReport {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final double[] PERCENTILES = {50, 90, 99};

  private final SimulationResult result;
  private final Map<String, SimulationResult> tenants;

  /**
   * @param tenants results of each; may be empty
   */
  SimulationReport(SimulationResult result, Map<String, SimulationResult> tenants) {
    this.result = result;
    this.tenants = tenants;
  }

  void print(PrintWriter out) {
    double seconds = seconds();
    row(out, "Requests completed", "%d", result.completed());
    row(out, "Requests failed", "%d", result.failed());
    result.failures().forEach((reason, count) -> row(out, "  " + reason, "%d", count));
    row(out, "Simulated time (s)", "%.2f", seconds);
    row(out, "Requests per second", "%.2f", result.completed() / seconds);
    row(out, "Good requests per second", "%.2f", result.good() / seconds);
    row(out, "Output tokens per second", "%.1f", result.outputTokens() / seconds);
    row(
        out,
        "Prompt and output tokens per second",
        "%.1f",
        (result.promptTokens() + result.outputTokens()) / seconds);
    row(out, "Prompt tokens found in the cache (%)", "%.1f", 100 * hitRate(result));
    row(out, "Prompt tokens computed", "%d", result.computedPromptTokens());
    row(out, "Preemptions", "%d", result.preemptions());
    row(out, "Most requests waiting", "%d", result.mostWaiting());
    row(out, "Steps", "%d", result.steps());
    out.printf("%n%-44s %9s %9s %9s %9s%n", "Milliseconds", "mean", "p50", "p90", "p99");
    times(result).forEach((name, times) -> print(out, title(name), times));
    tenants.forEach((name, tenant) -> {
      out.printf(
          Locale.ROOT,
          "%n%s: %d completed, %d failed, %d output tokens%n",
          name,
          tenant.completed(),
          tenant.failed(),
          tenant.outputTokens());
      print(out, title("ttft"), tenant.ttft());
      print(out, title("queue"), tenant.queue());
      print(out, title("itl"), tenant.itl());
    });
    out.flush();
  }

  private static void print(PrintWriter out, String title, Histogram times) {
    out.printf(Locale.ROOT, "%-44s %9.1f", title, times.mean() / 1e6);
    for (double percent : PERCENTILES) {
      out.printf(Locale.ROOT, " %9.1f", times.percentile(percent) / 1e6);
    }
    out.println();
  }

  private static String title(String name) {
    return switch (name) {
      case "ttft" -> "Time to first token";
      case "queue" -> "Queue time";
      case "tpot" -> "Time per output token after the first";
      case "itl" -> "Inter-token latency";
      case "e2el" -> "End-to-end latency";
      default -> "Step";
    };
  }

  ObjectNode json() {
    ObjectNode json = json(result);
    json.put("duration", rounded(seconds()));
    json.put("request_throughput", rounded(result.completed() / seconds()));
    json.put("request_goodput", rounded(result.good() / seconds()));
    json.put("output_throughput", rounded(result.outputTokens() / seconds()));
    json.put(
        "total_token_throughput",
        rounded((result.promptTokens() + result.outputTokens()) / seconds()));
    json.put("computed_prompt_tokens", result.computedPromptTokens());
    json.put("max_waiting", result.mostWaiting());
    json.put("steps", result.steps());
    if (!tenants.isEmpty()) {
      ObjectNode all = json.putObject("tenants");
      tenants.forEach((name, tenant) -> all.set(name, json(tenant)));
    }
    return json;
  }

  private static ObjectNode json(SimulationResult result) {
    ObjectNode json = JSON.createObjectNode();
    json.put("completed", result.completed());
    json.put("failed", result.failed());
    json.put("good", result.good());
    json.put("total_input_tokens", result.promptTokens());
    json.put("total_cached_tokens", result.cachedTokens());
    json.put("total_output_tokens", result.outputTokens());
    json.put("prefix_hit_rate", rounded(hitRate(result)));
    json.put("preemptions", result.preemptions());
    times(result)
        .forEach((name, times) -> {
          json.put("mean_" + name + "_ms", rounded(times.mean() / 1e6));
          json.put("median_" + name + "_ms", rounded(times.percentile(50) / 1e6));
          json.put("p90_" + name + "_ms", rounded(times.percentile(90) / 1e6));
          json.put("p99_" + name + "_ms", rounded(times.percentile(99) / 1e6));
        });
    ObjectNode errors = json.putObject("errors");
    result.failures().forEach(errors::put);
    return json;
  }

  private static Map<String, Histogram> times(SimulationResult result) {
    Map<String, Histogram> times = new LinkedHashMap<>();
    times.put("ttft", result.ttft());
    times.put("queue", result.queue());
    times.put("tpot", result.tpot());
    times.put("itl", result.itl());
    times.put("e2el", result.e2e());
    times.put("step", result.step());
    return times;
  }

  private static double hitRate(SimulationResult result) {
    return (double) result.cachedTokens() / Math.max(1, result.promptTokens());
  }

  private double seconds() {
    return Math.max(1e-9, result.endNanos() / 1e9);
  }
}
