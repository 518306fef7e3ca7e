package dev.sluice.router.policy;

import dev.sluice.router.fleet.WorkerView;

/**
 * A worker that could take a request.
 *
 * @param inFlight requests of this router that are there at the moment of the decision
 */
public record Candidate(WorkerView worker, int inFlight) {
  /** Requests that run or wait there: ours as of now, those of others as last reported. */
  public int outstanding() {
    return inFlight + worker.foreignRequests();
  }
}
