package dev.sluice.router.page;

import dev.sluice.router.fleet.WorkerAddress;
import dev.sluice.router.fleet.WorkerStatus;
import dev.sluice.router.fleet.WorkerView;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * How fast each worker produces tokens, from the totals that it reports.
 *
 * <p>Threading: one thread.
 */
final class OutputRates {
  private static final double NANOS_PER_SECOND = 1e9;

  private record Total(String epoch, long tokens, long atNanos) {}

  private final Map<WorkerAddress, Total> last = new HashMap<>();

  /** Tokens per second since the call before; 0 for a worker that is new, started anew, or lost. */
  double next(WorkerView worker, long nowNanos) {
    if (worker.report().isEmpty() || worker.status() == WorkerStatus.SUSPECT) {
      last.remove(worker.address());
      return 0;
    }
    Total now =
        new Total(
            worker.report().get().identity().getEpoch(),
            worker.report().get().load().getOutputTokensTotal(),
            nowNanos);
    @Nullable Total before = last.put(worker.address(), now);
    if (before == null || !before.epoch().equals(now.epoch()) || before.atNanos() == nowNanos) {
      return 0;
    }
    double seconds = (now.atNanos() - before.atNanos()) / NANOS_PER_SECOND;
    return Math.max(0, (now.tokens() - before.tokens()) / seconds);
  }

  /** Forgets all but these. */
  void retain(List<WorkerView> workers) {
    Set<WorkerAddress> known =
        workers.stream().map(WorkerView::address).collect(Collectors.toSet());
    last.keySet().retainAll(known);
  }
}
