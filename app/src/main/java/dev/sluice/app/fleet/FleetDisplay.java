package dev.sluice.app.fleet;

import dev.sluice.app.cli.Style;
import dev.sluice.v1.FleetState;
import dev.sluice.v1.FleetWorker;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Shows a fleet while it runs: on a terminal a table that is redrawn in place, else a line for
 * every change of a process's state.
 *
 * <p>Threading: events come from any thread and wait in a queue; {@link #run} draws.
 */
final class FleetDisplay implements Consumer<FleetEvent> {
  private static final long REFRESH_MILLIS = 1_000;
  private static final long LEAST_GAP_MILLIS = 100;

  private final PrintWriter out;
  private final Style style;
  private final WorkerTable table;
  private final BlockingQueue<FleetEvent> events = new LinkedBlockingQueue<>();
  private final Map<String, FleetState> states = new HashMap<>();
  private List<FleetWorker> workers = List.of();
  private int drawnLines;

  FleetDisplay(PrintWriter out, Style style) {
    this.out = out;
    this.style = style;
    this.table = new WorkerTable(style);
  }

  @Override
  public void accept(FleetEvent event) {
    events.add(event);
  }

  /** Draws until the thread is interrupted. */
  void run() {
    try {
      while (true) {
        FleetEvent event = events.poll(REFRESH_MILLIS, TimeUnit.MILLISECONDS);
        List<FleetEvent> batch = new ArrayList<>();
        if (event != null) {
          batch.add(event);
          events.drainTo(batch);
        }
        show(batch);
        // A worker reports every 50 ms; nobody reads that fast.
        Thread.sleep(LEAST_GAP_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void show(List<FleetEvent> batch) {
    out.print(style.redraw(drawnLines));
    for (FleetEvent event : batch) {
      switch (event) {
        case FleetEvent.Listening e ->
            log("%s listens on %s (process %d)".formatted(e.name(), e.address(), e.pid()));
        case FleetEvent.Ready e ->
            log(
                style.bold(
                    "ready: router "
                        + e.target()
                        + e.http()
                            .map(url -> ", page " + url + "/, OpenAI API " + url + "/v1")
                            .orElse("")));
        case FleetEvent.Died e -> log(style.red(e.how()));
        case FleetEvent.Restarting e ->
            log("%s starts again in %d ms".formatted(e.name(), e.delay().toMillis()));
        case FleetEvent.Workers e -> {
          workers = e.workers();
          logChanges();
        }
      }
    }
    drawnLines = 0;
    if (style.on() && !workers.isEmpty()) {
      for (String line : table.lines(workers, System.nanoTime())) {
        out.println(line);
        drawnLines++;
      }
    }
    out.flush();
  }

  private void logChanges() {
    for (FleetWorker worker : workers) {
      FleetState before = states.put(worker.getAddress(), worker.getState());
      // On a terminal the table shows it.
      if (!style.on() && before != worker.getState()) {
        log(
            "%s%s is %s%s"
                .formatted(
                    worker.getIdentity().getWorkerId().isEmpty()
                        ? ""
                        : worker.getIdentity().getWorkerId() + " ",
                    worker.getAddress(),
                    WorkerTable.state(worker.getState()),
                    worker.getReason().isEmpty() ? "" : ": " + worker.getReason()));
      }
    }
  }

  private void log(String line) {
    out.println(line);
  }
}
