package dev.sluice.router.policy;

import java.util.List;

/**
 * Chooses one of the workers that could take a request. Pure: the same arguments give the same
 * choice. A new policy is one class and one line in {@link Policies}.
 */
public interface RoutingPolicy {
  /**
   * The index of the choice.
   *
   * @param candidates by address; at least one
   * @param affinity what ties the request to others
   * @param turn number of this decision; breaks ties so that equals take turns
   */
  int pick(List<Candidate> candidates, Affinity affinity, long turn);
}
