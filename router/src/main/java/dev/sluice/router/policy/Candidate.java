package dev.sluice.router.policy;

import dev.sluice.router.fleet.Charged;
import dev.sluice.router.fleet.WorkerReport;
import dev.sluice.router.fleet.WorkerView;

/**
 * A worker that could take a request.
 *
 * @param charged what this router has there at the moment of the decision
 * @param newTokens prompt tokens of the request that the worker does not have cached
 */
public record Candidate(WorkerView worker, Charged charged, int newTokens) {
  /** Requests that run or wait there: ours as of now, those of others as last reported. */
  public int outstanding() {
    return charged.requests() + worker.foreignRequests();
  }

  /** Prompt tokens that it is yet to compute before it could begin. */
  long pendingPrefillTokens() {
    return charged.prefillTokens() + worker.foreign().prefillTokens();
  }

  /** Blocks that running requests own, with those that ours will. */
  long activeBlocks() {
    return charged.tokens() / blockSize() + worker.foreign().blocks();
  }

  /** Blocks that there are; 0 if it has not told. */
  long totalBlocks() {
    return worker.report().map(WorkerReport::load).map(l -> (long) l.getKvBlocksTotal()).orElse(0L);
  }

  /** Tokens per block. */
  int blockSize() {
    return Math.max(1, worker.report().map(r -> r.model().getBlockSize()).orElse(1));
  }
}
