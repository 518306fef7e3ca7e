package dev.sluice.router.policy;

import dev.sluice.router.fleet.Charge;
import dev.sluice.router.fleet.Charged;
import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.fleet.WorkerBreaker;
import dev.sluice.router.fleet.WorkerLink;
import dev.sluice.router.fleet.WorkerStatus;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.router.index.PrefixIndex;
import dev.sluice.router.index.WorkerBlocks;
import dev.sluice.v1.Model;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Makes routing decisions: filters the workers of a snapshot, lets the policy pick one of those
 * left, charges it, and tells the index where the prompt goes.
 *
 * <p>Threading: any thread, without locks. A charge succeeds only if the worker still has the count
 * that the policy saw, so that requests that are routed at once do not all meet at the worker that
 * was idle; otherwise the decision is made again.
 */
public final class Selector {
  private final String policyName;
  private final RoutingPolicy policy;
  private final PrefixIndex index;
  private final LongSupplier nanoClock;
  private final AtomicLong turns = new AtomicLong();

  /**
   * @param index tells what is cached where
   * @param nanoClock monotonic time, nanoseconds
   */
  public Selector(
      String policyName, RoutingPolicy policy, PrefixIndex index, LongSupplier nanoClock) {
    this.policyName = policyName;
    this.policy = policy;
    this.index = index;
    this.nanoClock = nanoClock;
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
   * than half of the ready workers: then the fault is not theirs. Then those fall out that have as
   * much to compute as they allow.
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
    boolean able = !eligible.isEmpty();
    eligible.removeIf(worker -> !needs.room(worker));
    if (able && eligible.isEmpty()) {
      return new Selection.NoRoom(name, joining);
    }
    int candidates = eligible.size();
    while (!eligible.isEmpty()) {
      Choice choice = charge(eligible, needs);
      WorkerBreaker breaker = choice.worker.link().breaker();
      WorkerBreaker.Pass pass = breaker.pass();
      if (panic || breaker.tryEnter(pass)) {
        return new Selection.Chosen(choice.worker, candidates, pass, choice.charge);
      }
      choice.charge.release(); // all its probes are out
      eligible.remove(choice.worker);
    }
    return served
        ? new Selection.NobodyReady(name, joining)
        : new Selection.UnknownModel(name, ids(fleet.models()), joining);
  }

  private record Choice(WorkerView worker, Charge charge) {}

  private Choice charge(List<WorkerView> eligible, Requirements needs) {
    long turn = turns.getAndIncrement();
    while (true) {
      // Loads before the index, as others write the index before they charge: whoever is seen to
      // have more to do is also seen with what for.
      Charged[] charged = new Charged[eligible.size()];
      for (int i = 0; i < charged.length; i++) {
        charged[i] = eligible.get(i).link().charged();
      }
      int[] missing = missingTokens(eligible, needs);
      List<Candidate> candidates = new ArrayList<>(charged.length);
      for (int i = 0; i < charged.length; i++) {
        candidates.add(new Candidate(eligible.get(i), charged[i], missing[i]));
      }
      Candidate choice = candidates.get(policy.pick(candidates, needs.affinity(), turn));
      WorkerLink link = choice.worker().link();
      // Before the charge: whoever sees that there is more to do there also sees what for, or a
      // sibling of this request would go elsewhere.
      index.dispatched(needs.prompt(), link.blocks(), nanoClock.getAsLong());
      Optional<Charge> charge = link.charge(choice.charged(), choice.newTokens());
      if (charge.isPresent()) {
        return new Choice(choice.worker(), charge.get());
      }
    }
  }

  /** By worker: tokens of the prompt that it does not have cached. */
  private int[] missingTokens(List<WorkerView> workers, Requirements needs) {
    int[] missing = new int[workers.size()];
    if (needs.prompt().count() == 0) {
      Arrays.fill(missing, needs.promptTokens());
      return missing;
    }
    WorkerBlocks[] blocks = new WorkerBlocks[missing.length];
    for (int i = 0; i < missing.length; i++) {
      blocks[i] = workers.get(i).link().blocks();
    }
    index.overlaps(needs.prompt(), blocks, missing, nanoClock.getAsLong());
    for (int i = 0; i < missing.length; i++) {
      int blockSize = workers.get(i).report().map(r -> r.model().getBlockSize()).orElse(0);
      // The last token of a prompt is computed in any case: the first one of the answer needs it.
      missing[i] =
          Math.max(
              Math.min(1, needs.promptTokens()), needs.promptTokens() - missing[i] * blockSize);
    }
    return missing;
  }

  private static List<String> ids(List<Model> models) {
    return models.stream().map(Model::getId).toList();
  }
}
