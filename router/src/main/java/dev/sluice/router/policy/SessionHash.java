package dev.sluice.router.policy;

import java.util.List;

/** The turns of one conversation meet at one worker, as long as it has room. */
final class SessionHash implements RoutingPolicy {
  private final RoutingPolicy others = new LeastOutstanding();

  @Override
  public int pick(List<Candidate> candidates, Affinity affinity, long turn) {
    return affinity.session().isPresent()
        ? BoundedHash.pick(candidates, affinity.session().getAsLong())
        : others.pick(candidates, affinity, turn);
  }
}
