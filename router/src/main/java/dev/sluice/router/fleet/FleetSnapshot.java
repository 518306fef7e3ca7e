package dev.sluice.router.fleet;

import dev.sluice.v1.Model;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * All workers at one moment.
 *
 * @param version grows with every snapshot
 * @param workers by address
 */
public record FleetSnapshot(long version, List<WorkerView> workers) {
  public FleetSnapshot {
    workers = List.copyOf(workers);
  }

  /** Number of workers that take requests. */
  public int ready() {
    return count(WorkerStatus.READY);
  }

  /** Number of workers in one state. */
  public int count(WorkerStatus status) {
    int count = 0;
    for (WorkerView worker : workers) {
      if (worker.status() == status) {
        count++;
      }
    }
    return count;
  }

  /** Number of routers that share the fleet, as its workers see it; at least 1. */
  public int routers() {
    int routers = 1;
    for (WorkerView worker : workers) {
      if (worker.status() == WorkerStatus.READY && worker.report().isPresent()) {
        routers = Math.max(routers, worker.report().get().routers());
      }
    }
    return routers;
  }

  /** The models of the fleet by id, each once, also those whose workers are not ready. */
  public List<Model> models() {
    TreeMap<String, Model> models = new TreeMap<>();
    for (WorkerView worker : workers) {
      worker.report().ifPresent(r -> models.putIfAbsent(r.model().getId(), r.model()));
    }
    return new ArrayList<>(models.values());
  }
}
