package dev.sluice.app.bench;

import java.util.Arrays;
import java.util.List;

/**
 * Draws a measurement: how times to the first token and between tokens are spread, tokens per
 * second over the time, and how many requests were under way.
 */
final class Plot {
  private static final int WIDTH = 960;
  private static final int HEIGHT = 600;
  private static final double HEAD = 48;
  private static final int MOST_BARS = 60;
  private static final int COLUMNS = 200;

  private Plot() {}

  /** The picture, as SVG. */
  static String of(String title, Recorder recorder) {
    Summary summary = recorder.summary(List.of());
    List<Outcome> outcomes = recorder.outcomes();
    Svg svg = new Svg(WIDTH, HEIGHT);
    svg.describe(title);
    svg.text("title", 24, 30, "start", title);
    svg.text(
        "figures",
        WIDTH - 24,
        30,
        "end",
        "%d requests, %d failed".formatted(summary.completed(), summary.failed()));
    double width = (WIDTH - 32) / 2.0;
    double height = (HEIGHT - HEAD - 16) / 2;
    chart(svg, 0, 0, width, height)
        .shares("Time to first token", times(summary, "ttft"), 50, 90, 99);
    chart(svg, 1, 0, width, height)
        .shares("Inter-token latency", times(summary, "itl"), 50, 90, 99);
    chart(svg, 0, 1, width, height)
        .overTime(
            "Output tokens per second",
            Chart.number(summary.outputTokens() / summary.seconds()) + " on average",
            rates(recorder.tokensOverTime(), summary.seconds()),
            summary.seconds());
    double[] running = running(outcomes, summary.seconds());
    Chart under = chart(svg, 1, 1, width, height);
    under.overTime(
        "Requests under way",
        "at most " + Chart.number(Arrays.stream(running).max().orElse(0)) + "; failures in red",
        running,
        summary.seconds());
    outcomes.stream()
        .filter(o -> !o.completed())
        .mapToLong(o -> column(o.due() + o.e2e(), summary.seconds()))
        .distinct()
        .forEach(column -> under.mark((column + 0.5) / COLUMNS));
    return svg.end();
  }

  private static Chart chart(Svg svg, int column, int row, double width, double height) {
    return new Chart(svg, 16 + column * width, HEAD + row * height, width, height - 8);
  }

  private static Distribution times(Summary summary, String name) {
    return summary.times().getOrDefault(name, new Distribution(new double[0]));
  }

  /** Tokens per second, in pieces of the same length. */
  private static double[] rates(long[] cells, double seconds) {
    int all = Math.max(1, (int) Math.ceil(seconds * 1e9 / Recorder.CELL_NANOS));
    int each = Math.ceilDiv(all, MOST_BARS);
    double[] rates = new double[Math.ceilDiv(all, each)];
    double piece = seconds / rates.length;
    for (int i = 0; i < cells.length; i++) {
      rates[Math.min(i / each, rates.length - 1)] += cells[i] / piece;
    }
    return rates;
  }

  /** Most requests at a time, in each column. */
  private static double[] running(List<Outcome> outcomes, double seconds) {
    long[] begins = outcomes.stream().mapToLong(Outcome::due).sorted().toArray();
    long[] ends = outcomes.stream().mapToLong(o -> o.due() + o.e2e()).sorted().toArray();
    double[] most = new double[COLUMNS];
    int begun = 0;
    int ended = 0;
    for (int column = 0; column < COLUMNS; column++) {
      double end = seconds * 1e9 * (column + 1) / COLUMNS;
      most[column] = begun - ended;
      while (begun < begins.length && begins[begun] <= end) {
        while (ends[ended] <= begins[begun]) {
          ended++;
        }
        begun++;
        most[column] = Math.max(most[column], begun - ended);
      }
      while (ended < ends.length && ends[ended] <= end) {
        ended++;
      }
    }
    return most;
  }

  private static int column(long nanos, double seconds) {
    return Math.clamp((long) (nanos / (seconds * 1e9) * COLUMNS), 0, COLUMNS - 1);
  }
}
