package dev.sluice.router.fleet;

import dev.sluice.v1.Model;
import java.util.Optional;

/**
 * One worker at one moment.
 *
 * @param reason why it is not ready, for people; empty if it is
 * @param report what it last said; empty until its first complete snapshot
 * @param incarnation grows each time it becomes ready: what failed before may do better now
 * @param foreignRequests requests that run or wait there for others than this router, as of its
 *     last report of load
 */
public record WorkerView(
    WorkerAddress address,
    WorkerStatus status,
    String reason,
    Optional<WorkerReport> report,
    long incarnation,
    int foreignRequests,
    WorkerLink link) {

  /** Whether {@code name} is the id or an alias of its model. */
  public boolean serves(String name) {
    if (report.isEmpty()) {
      return false;
    }
    Model model = report.get().model();
    return model.getId().equals(name) || model.getAliasesList().contains(name);
  }

  /** Its id, or its address as long as it has not told. */
  public String name() {
    return report.isEmpty() ? address.toString() : report.get().identity().getWorkerId();
  }
}
