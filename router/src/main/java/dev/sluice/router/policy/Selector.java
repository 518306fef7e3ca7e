package dev.sluice.router.policy;

import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.fleet.WorkerLink;
import dev.sluice.router.fleet.WorkerStatus;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.v1.Model;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Makes routing decisions: filters the workers of a snapshot, lets the policy pick one of those
 * left, and charges it.
 *
 * <p>Threading: any thread, without locks. A charge succeeds only if the worker still has the count
 * that the policy saw, so that requests that are routed at once do not all meet at the worker that
 * was idle; otherwise the decision is made again.
 */
public final class Selector {
  private final String policyName;
  private final RoutingPolicy policy;
  private final AtomicLong turns = new AtomicLong();

  public Selector(String policyName, RoutingPolicy policy) {
    this.policyName = policyName;
    this.policy = policy;
  }

  /** For metrics and spans. */
  public String policyName() {
    return policyName;
  }

  /**
   * Chooses a worker.
   *
   * @param model id or alias; empty for the only model there is
   * @param tried workers that this request was sent to before
   */
  public Selection select(FleetSnapshot fleet, String model, Set<WorkerLink> tried) {
    String name = model;
    if (model.isEmpty()) {
      List<Model> models = fleet.models();
      if (models.size() > 1) {
        return new Selection.AmbiguousModel(ids(models));
      }
      if (!models.isEmpty()) {
        name = models.getFirst().getId();
      }
    }
    List<WorkerView> eligible = new ArrayList<>(fleet.workers().size());
    boolean served = false;
    boolean joining = false;
    for (WorkerView worker : fleet.workers()) {
      boolean serves = worker.serves(name);
      served |= serves;
      boolean untried = !tried.contains(worker.link());
      joining |=
          worker.status() == WorkerStatus.JOINING
              && untried
              && (serves || worker.report().isEmpty());
      if (serves && untried && worker.status() == WorkerStatus.READY) {
        eligible.add(worker);
      }
    }
    if (!eligible.isEmpty()) {
      return charge(eligible);
    }
    return served
        ? new Selection.NobodyReady(name, joining)
        : new Selection.UnknownModel(name, ids(fleet.models()), joining);
  }

  private Selection charge(List<WorkerView> eligible) {
    long turn = turns.getAndIncrement();
    while (true) {
      List<Candidate> candidates = new ArrayList<>(eligible.size());
      for (WorkerView worker : eligible) {
        candidates.add(new Candidate(worker, worker.link().inFlight()));
      }
      Candidate choice = candidates.get(policy.pick(candidates, turn));
      if (choice.worker().link().charge(choice.inFlight())) {
        return new Selection.Chosen(choice.worker(), eligible.size());
      }
    }
  }

  private static List<String> ids(List<Model> models) {
    return models.stream().map(Model::getId).toList();
  }
}
