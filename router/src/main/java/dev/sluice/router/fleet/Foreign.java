package dev.sluice.router.fleet;

import dev.sluice.v1.Load;

/**
 * What a worker has for others than this router, as of its last report of load: what it reported,
 * less what this router had there. Only its reports can tell this part.
 *
 * @param requests that run or wait
 * @param prefillTokens prompt tokens that are yet to be computed
 * @param blocks of the KV cache that running requests own; with the output of ours, which nobody
 *     charges in advance
 */
public record Foreign(int requests, long prefillTokens, long blocks) {
  public static final Foreign NONE = new Foreign(0, 0, 0);

  static Foreign of(Load load, Charged ours, int blockSize) {
    long ownBlocks = blockSize > 0 ? ours.tokens() / blockSize : 0;
    return new Foreign(
        Math.max(0, load.getRunningRequests() + load.getWaitingRequests() - ours.requests()),
        Math.max(0, load.getPendingPrefillTokens() - ours.prefillTokens()),
        Math.max(0, load.getKvBlocksOwned() - ownBlocks));
  }
}
