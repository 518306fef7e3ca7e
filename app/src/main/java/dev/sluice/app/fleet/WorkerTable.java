package dev.sluice.app.fleet;

import dev.sluice.app.cli.Style;
import dev.sluice.app.cli.TimingText;
import dev.sluice.v1.FleetState;
import dev.sluice.v1.FleetWorker;
import dev.sluice.v1.Load;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Lines about workers: one each, under a heading. Keeps the token counts of earlier calls to tell a
 * rate.
 *
 * <p>Threading: for one thread.
 */
final class WorkerTable {
  /** Shorter than this, a rate says more about the reports than about the worker. */
  private static final long RATE_WINDOW_NANOS = 900_000_000;

  private record Count(long nanos, long tokens, double rate) {}

  private final Style style;
  private final Map<String, Count> counts = new HashMap<>();

  WorkerTable(Style style) {
    this.style = style;
  }

  /**
   * The table.
   *
   * @param nowNanos of a clock that only goes forward
   */
  List<String> lines(List<FleetWorker> workers, long nowNanos) {
    List<String> lines = new ArrayList<>();
    lines.add(
        style.dim(
            "%-14s %-21s %-9s %7s %7s %5s %9s %8s"
                .formatted(
                    "WORKER", "ADDRESS", "STATE", "RUNNING", "WAITING", "KV", "STEP", "TOKENS/S")));
    for (FleetWorker worker : workers) {
      lines.add(line(worker, nowNanos));
      if (!worker.getReason().isEmpty() && worker.getState() != FleetState.FLEET_STATE_READY) {
        lines.add(style.dim("  " + worker.getReason()));
      }
    }
    return lines;
  }

  private String line(FleetWorker worker, long nowNanos) {
    Load load = worker.getLoad();
    String state = padded(state(worker.getState()), 9);
    String kv =
        load.getKvBlocksTotal() == 0
            ? "-"
            : Math.round(100.0 * load.getKvBlocksOwned() / load.getKvBlocksTotal()) + "%";
    return "%-14s %-21s %s %7d %7d %5s %9s %8s"
        .formatted(
            worker.hasIdentity() ? worker.getIdentity().getWorkerId() : "-",
            worker.getAddress(),
            coloured(worker.getState(), state),
            load.getRunningRequests(),
            load.getWaitingRequests(),
            kv,
            load.getStepNanos() == 0 ? "-" : TimingText.duration(load.getStepNanos()),
            String.format(Locale.ROOT, "%.1f", rate(worker, nowNanos)));
  }

  private double rate(FleetWorker worker, long nowNanos) {
    long tokens = worker.getLoad().getOutputTokensTotal();
    Count last = counts.get(worker.getAddress());
    if (last == null || tokens < last.tokens()) {
      counts.put(worker.getAddress(), new Count(nowNanos, tokens, 0));
      return 0;
    }
    if (nowNanos - last.nanos() < RATE_WINDOW_NANOS) {
      return last.rate();
    }
    double rate = (tokens - last.tokens()) * 1e9 / (nowNanos - last.nanos());
    counts.put(worker.getAddress(), new Count(nowNanos, tokens, rate));
    return rate;
  }

  /** Such as {@code ready}. */
  static String state(FleetState state) {
    return state.name().replace("FLEET_STATE_", "").toLowerCase(Locale.ROOT);
  }

  private static String padded(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }

  private String coloured(FleetState state, String text) {
    return switch (state) {
      case FLEET_STATE_READY -> style.green(text);
      case FLEET_STATE_JOINING, FLEET_STATE_DRAINING -> style.yellow(text);
      case FLEET_STATE_SUSPECT, FLEET_STATE_GONE -> style.red(text);
      case FLEET_STATE_UNSPECIFIED, UNRECOGNIZED -> text;
    };
  }
}
