package dev.sluice.router.policy;

import java.util.List;

/** Any worker, whatever it has to do. */
final class RandomChoice implements RoutingPolicy {
  @Override
  public int pick(List<Candidate> candidates, Affinity affinity, long turn) {
    return Mix.index(turn, candidates.size());
  }
}
