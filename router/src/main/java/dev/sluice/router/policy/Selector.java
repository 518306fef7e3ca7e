package dev.sluice.router.policy;

import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.fleet.WorkerBreaker;
import dev.sluice.router.fleet.WorkerStatus;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.v1.Model;
import java.util.ArrayList;
import java.util.List;
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
   * <p>Of several that are left, only those with the numerics of the worker that began a stream are
   * considered if there are any; those behind an open breaker are not, unless breakers exclude more
   * than half of the ready workers: then the fault is not theirs.
   */
  public Selection select(FleetSnapshot fleet, Requirements needs) {
    String name = needs.model();
    if (name.isEmpty()) {
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
    int ready = 0;
    int admitted = 0;
    for (WorkerView worker : fleet.workers()) {
      boolean serves = worker.serves(name);
      served |= serves;
      boolean untried = !needs.tried().contains(worker);
      joining |=
          worker.status() == WorkerStatus.JOINING
              && untried
              && (serves || worker.report().isEmpty());
      if (serves && worker.status() == WorkerStatus.READY) {
        ready++;
        if (worker.link().breaker().admits()) {
          admitted++;
        }
        if (untried && needs.capable(worker)) {
          eligible.add(worker);
        }
      }
    }
    boolean panic = 2 * (ready - admitted) > ready;
    if (!panic) {
      eligible.removeIf(worker -> !worker.link().breaker().admits());
    }
    if (eligible.stream().anyMatch(needs::equalNumerics)) {
      eligible.removeIf(worker -> !needs.equalNumerics(worker));
    }
    int candidates = eligible.size();
    while (!eligible.isEmpty()) {
      WorkerView choice = charge(eligible, needs.affinity());
      WorkerBreaker.Pass pass = choice.link().breaker().pass();
      if (panic || choice.link().breaker().tryEnter(pass)) {
        return new Selection.Chosen(choice, candidates, pass);
      }
      choice.link().release(); // all its probes are out
      eligible.remove(choice);
    }
    return served
        ? new Selection.NobodyReady(name, joining)
        : new Selection.UnknownModel(name, ids(fleet.models()), joining);
  }

  private WorkerView charge(List<WorkerView> eligible, Affinity affinity) {
    long turn = turns.getAndIncrement();
    while (true) {
      List<Candidate> candidates = new ArrayList<>(eligible.size());
      for (WorkerView worker : eligible) {
        candidates.add(new Candidate(worker, worker.link().inFlight()));
      }
      Candidate choice = candidates.get(policy.pick(candidates, affinity, turn));
      if (choice.worker().link().charge(choice.inFlight())) {
        return choice.worker();
      }
    }
  }

  private static List<String> ids(List<Model> models) {
    return models.stream().map(Model::getId).toList();
  }
}
