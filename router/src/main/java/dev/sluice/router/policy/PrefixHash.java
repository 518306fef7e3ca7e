package dev.sluice.router.policy;

import java.util.List;

/** Prompts that begin alike meet at one worker, as long as it has room. */
final class PrefixHash implements RoutingPolicy {
  private final RoutingPolicy others = new LeastOutstanding();

  @Override
  public int pick(List<Candidate> candidates, Affinity affinity, long turn) {
    return affinity.prefix().isPresent()
        ? BoundedHash.pick(candidates, affinity.prefix().getAsLong())
        : others.pick(candidates, affinity, turn);
  }
}
