package dev.sluice.router.policy;

import java.util.List;

/**
 * The less busy of two workers taken at random (Mitzenmacher: The power of two choices in
 * randomized load balancing, 2001): routers that do not know of each other's choices then do not
 * all run to the same worker.
 */
final class PowerOfTwo implements RoutingPolicy {
  @Override
  public int pick(List<Candidate> candidates, Affinity affinity, long turn) {
    int size = candidates.size();
    int first = Mix.index(turn, size);
    if (size == 1) {
      return first;
    }
    int second = Mix.index(~turn, size - 1);
    if (second >= first) {
      second++; // two different ones
    }
    return candidates.get(second).outstanding() < candidates.get(first).outstanding()
        ? second
        : first;
  }
}
