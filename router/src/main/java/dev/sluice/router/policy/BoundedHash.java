package dev.sluice.router.policy;

import dev.sluice.router.fleet.WorkerAddress;
import java.util.List;

/**
 * Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam, 2018) by rendezvous: each
 * key ranks the workers in its own order, and goes to the first that has room. A worker that comes
 * or goes moves only its own keys; a popular key overflows to its next worker and overloads none.
 */
final class BoundedHash {
  /** A worker is full at so many times the mean load. */
  private static final double MOST = 1.25;

  /** Fewer requests than this are no reason to leave a warm cache. */
  private static final int SLACK = 4;

  private BoundedHash() {}

  /** The worker that the key ranks first, however busy it is. */
  static int home(List<Candidate> candidates, long key) {
    int best = 0;
    long bestRank = rank(candidates.getFirst(), key);
    for (int i = 1; i < candidates.size(); i++) {
      long rank = rank(candidates.get(i), key);
      if (Long.compareUnsigned(rank, bestRank) > 0) {
        best = i;
        bestRank = rank;
      }
    }
    return best;
  }

  static int pick(List<Candidate> candidates, long key) {
    long total = 1; // with this request
    for (Candidate candidate : candidates) {
      total += candidate.outstanding();
    }
    double room = Math.max(SLACK, Math.ceil(MOST * total / candidates.size()));
    int best = -1;
    long bestRank = 0;
    for (int i = 0; i < candidates.size(); i++) {
      Candidate candidate = candidates.get(i);
      if (candidate.outstanding() + 1 > room) {
        continue;
      }
      long rank = rank(candidate, key);
      if (best < 0 || Long.compareUnsigned(rank, bestRank) > 0) {
        best = i;
        bestRank = rank;
      }
    }
    return best; // the least busy has less than the mean, so there is one
  }

  private static long rank(Candidate candidate, long key) {
    return Mix.of(key ^ Mix.of(name(candidate.worker().address())));
  }

  /** The same in every process. */
  private static long name(WorkerAddress address) {
    return 31L * address.host().hashCode() + address.port();
  }
}
