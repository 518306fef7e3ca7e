package dev.sluice.router.policy;

import java.util.List;
import java.util.OptionalLong;

/**
 * The worker that costs least, counted in KV blocks:
 *
 * <pre>
 *   cost     = queue + {@value #PREFILL_WEIGHT} * missing + {@value #DECODE_WEIGHT} * active + requests + barrier - bonus
 *   queue    = blocks that it is yet to compute for others, before it can begin
 *   missing  = blocks of this prompt that it does not have; those behind it wait for them, too
 *   active   = blocks that requests own there, this one among them: each of their steps reads them
 *   requests = that run or wait: each will have output, of which nothing is known yet
 *   barrier  = missing * (use - {@value #FULL}) / (1 - use), above that use of its KV cache: beyond
 *              it requests preempt each other
 *   bonus    = {@value #HOME_BONUS}, at the worker that this conversation or prefix calls home, by
 *              rendezvous: routers that do not know of each other's choices then agree
 * </pre>
 *
 * So a cached prefix draws a request just as strongly as the work it saves, and a busy worker
 * drives away only those requests that are served earlier elsewhere.
 */
final class Cost implements RoutingPolicy {
  static final double PREFILL_WEIGHT = 1.5;
  static final double DECODE_WEIGHT = 0.1;
  static final double FULL = 0.8;
  static final double HOME_BONUS = 2;

  private static final double MOST_USE = 0.999;

  @Override
  public int pick(List<Candidate> candidates, Affinity affinity, long turn) {
    OptionalLong key = affinity.session().isPresent() ? affinity.session() : affinity.prefix();
    int home = key.isPresent() ? BoundedHash.home(candidates, key.getAsLong()) : -1;
    int size = candidates.size();
    int best = -1;
    double least = 0;
    for (int i = 0; i < size; i++) {
      int next = (int) Math.floorMod(turn + i, (long) size); // equals take turns
      double cost = cost(candidates.get(next)) - (next == home ? HOME_BONUS : 0);
      if (best < 0 || cost < least) {
        best = next;
        least = cost;
      }
    }
    return best;
  }

  static double cost(Candidate candidate) {
    double blockSize = candidate.blockSize();
    double missing = candidate.newTokens() / blockSize;
    double queue = candidate.pendingPrefillTokens() / blockSize;
    double active = candidate.activeBlocks() + missing;
    double cost =
        queue + PREFILL_WEIGHT * missing + DECODE_WEIGHT * active + candidate.outstanding();
    if (candidate.totalBlocks() > 0) {
      double use = Math.min(MOST_USE, active / candidate.totalBlocks());
      if (use > FULL) {
        cost += missing * (use - FULL) / (1 - use);
      }
    }
    return cost;
  }
}
