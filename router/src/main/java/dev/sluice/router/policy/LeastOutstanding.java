package dev.sluice.router.policy;

import java.util.List;

/** The worker with the fewest requests that run or wait; equals take turns. */
final class LeastOutstanding implements RoutingPolicy {
  @Override
  public int pick(List<Candidate> candidates, Affinity affinity, long turn) {
    int size = candidates.size();
    int best = (int) Math.floorMod(turn, (long) size);
    for (int i = 1; i < size; i++) {
      int next = (int) Math.floorMod(turn + i, (long) size);
      if (candidates.get(next).outstanding() < candidates.get(best).outstanding()) {
        best = next;
      }
    }
    return best;
  }
}
