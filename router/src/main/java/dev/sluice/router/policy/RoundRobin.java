package dev.sluice.router.policy;

import java.util.List;

/** One after another, whatever they have to do. */
final class RoundRobin implements RoutingPolicy {
  @Override
  public int pick(List<Candidate> candidates, Affinity affinity, long turn) {
    return (int) Math.floorMod(turn, (long) candidates.size());
  }
}
