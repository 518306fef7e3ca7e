package dev.sluice.router.policy;

import java.util.List;
import java.util.OptionalLong;
import java.util.function.Function;

/**
 * Requests of one kind meet at one worker, as long as it has room: prompts that begin alike, or the
 * turns of one conversation. Those of no kind go to the least busy.
 */
final class AffinityHash implements RoutingPolicy {
  private final Function<Affinity, OptionalLong> key;
  private final RoutingPolicy others = new LeastOutstanding();

  AffinityHash(Function<Affinity, OptionalLong> key) {
    this.key = key;
  }

  @Override
  public int pick(List<Candidate> candidates, Affinity affinity, long turn) {
    OptionalLong own = key.apply(affinity);
    return own.isPresent()
        ? BoundedHash.pick(candidates, own.getAsLong())
        : others.pick(candidates, affinity, turn);
  }
}
