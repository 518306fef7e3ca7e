package dev.sluice.router.policy;

import dev.sluice.router.fleet.WorkerLink;
import dev.sluice.router.fleet.WorkerView;
import java.util.HashMap;
import java.util.Map;

/**
 * Workers that a request was sent to in vain. One that was lost since and has come back counts as
 * another one.
 *
 * <p>Threading: the request's driver.
 */
public final class Tried {
  private final Map<WorkerLink, Long> incarnations = new HashMap<>();

  public void add(WorkerView worker) {
    incarnations.put(worker.link(), worker.incarnation());
  }

  /** Lets it be tried again. */
  public void forget(WorkerView worker) {
    incarnations.remove(worker.link());
  }

  public void clear() {
    incarnations.clear();
  }

  public boolean contains(WorkerView worker) {
    Long incarnation = incarnations.get(worker.link());
    return incarnation != null && incarnation == worker.incarnation();
  }
}
