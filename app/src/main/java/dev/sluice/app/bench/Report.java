package dev.sluice.app.bench;

import static dev.sluice.app.cli.Figures.rounded;
import static dev.sluice.app.cli.Figures.row;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;

/** Writes a {@link Summary}: a table for people, and JSON with the keys of {@code vllm bench}. */
final class Report {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Map<String, String> TITLES =
      Map.of(
          "ttft", "Time to first token (ms)",
          "tpot", "Time per output token after the first (ms)",
          "itl", "Inter-token latency (ms)",
          "e2el", "End-to-end latency (ms)");

  private final Summary summary;
  private final List<Double> percentiles;
  private final boolean goodput;

  /**
   * @param percentiles of the times, beside the median
   * @param goodput whether there are objectives
   */
  Report(Summary summary, List<Double> percentiles, boolean goodput) {
    this.summary = summary;
    this.percentiles = percentiles;
    this.goodput = goodput;
  }

  void print(PrintWriter out) {
    double seconds = summary.seconds();
    row(out, "Requests completed", "%d", summary.completed());
    row(out, "Requests failed", "%d", summary.failed());
    summary.failures().forEach((reason, count) -> row(out, "  " + reason, "%d", count));
    row(out, "Duration (s)", "%.2f", seconds);
    row(out, "Prompt tokens", "%d", summary.inputTokens());
    row(out, "  of these cached", "%d", summary.cachedTokens());
    row(out, "Output tokens", "%d", summary.outputTokens());
    row(out, "Requests per second", "%.2f", summary.completed() / seconds);
    if (goodput) {
      row(out, "Good requests per second", "%.2f", summary.goodRequests() / seconds);
    }
    row(out, "Output tokens per second", "%.1f", summary.outputTokens() / seconds);
    row(out, "  in the best second", "%d", summary.peakOutput());
    row(
        out,
        "Prompt and output tokens per second",
        "%.1f",
        (summary.inputTokens() + summary.outputTokens()) / seconds);
    summary.times().forEach((name, times) -> print(out, name, times));
    out.flush();
  }

  private void print(PrintWriter out, String name, Distribution times) {
    out.println(TITLES.get(name));
    if (times.isEmpty()) {
      out.println("  none");
      return;
    }
    row(out, "  mean", "%.2f", times.mean());
    row(out, "  median", "%.2f", times.percentile(50));
    for (double percent : percentiles) {
      row(out, "  p" + label(percent), "%.2f", times.percentile(percent));
    }
  }

  /** 99 and 99.9, not 99.0. */
  private static String label(double percent) {
    return BigDecimal.valueOf(percent).stripTrailingZeros().toPlainString();
  }

  /**
   * All figures.
   *
   * @param outcomes whose times are listed one by one; may be empty
   */
  ObjectNode json(List<Outcome> outcomes) {
    double seconds = summary.seconds();
    ObjectNode json = JSON.createObjectNode();
    json.put("duration", rounded(seconds));
    json.put("completed", summary.completed());
    json.put("failed", summary.failed());
    json.put("total_input_tokens", summary.inputTokens());
    json.put("total_cached_tokens", summary.cachedTokens());
    json.put("total_output_tokens", summary.outputTokens());
    json.put("request_throughput", rounded(summary.completed() / seconds));
    if (goodput) {
      json.put("request_goodput", rounded(summary.goodRequests() / seconds));
    }
    json.put("output_throughput", rounded(summary.outputTokens() / seconds));
    json.put("max_output_tokens_per_s", summary.peakOutput());
    json.put(
        "total_token_throughput",
        rounded((summary.inputTokens() + summary.outputTokens()) / seconds));
    summary
        .times()
        .forEach((name, times) -> {
          json.put("mean_" + name + "_ms", rounded(times.mean()));
          json.put("median_" + name + "_ms", rounded(times.percentile(50)));
          json.put("std_" + name + "_ms", rounded(times.standardDeviation()));
          for (double percent : percentiles) {
            json.put("p" + label(percent) + "_" + name + "_ms", rounded(times.percentile(percent)));
          }
        });
    ObjectNode failures = json.putObject("errors");
    summary.failures().forEach(failures::put);
    if (!outcomes.isEmpty()) {
      addAll(json, outcomes);
    }
    return json;
  }

  private static void addAll(ObjectNode json, List<Outcome> outcomes) {
    ArrayNode starts = json.putArray("start_times");
    ArrayNode inputs = json.putArray("input_lens");
    ArrayNode outputs = json.putArray("output_lens");
    ArrayNode firsts = json.putArray("ttfts");
    ArrayNode gaps = json.putArray("itls");
    ArrayNode errors = json.putArray("error_messages");
    for (Outcome outcome : outcomes) {
      starts.add(outcome.due() / 1e9);
      inputs.add(outcome.promptTokens());
      outputs.add(outcome.outputTokens());
      firsts.add(outcome.ttft() / 1e9);
      ArrayNode own = gaps.addArray();
      for (long gap : outcome.gaps()) {
        own.add(gap / 1e9);
      }
      errors.add(outcome.failure());
    }
  }
}
