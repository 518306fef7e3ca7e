package dev.sluice.router.page;

import dev.sluice.router.page.LatencyWindow.Quantiles;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * The fleet in one second.
 *
 * @param atMillis since 1970
 * @param ready workers that take requests
 * @param running requests that run on workers
 * @param waiting requests that wait there
 * @param queued requests that wait here for a worker with room
 * @param kvOwned share of the fleet's KV blocks that running requests own, 0 to 1
 * @param kvCached share that no request owns but whose content can be found again
 * @param prefixHits share of the prompt tokens of recent requests that were found in a cache; empty
 *     without requests
 * @param tokensPerSecond output of all workers, also for other routers
 * @param requestsPerSecond that ended here
 * @param failuresPerSecond of these
 * @param ttft time to first token of the last seconds
 * @param itl mean inter-token latencies of the requests that ended in the last seconds
 */
record Sample(
    long atMillis,
    int ready,
    int running,
    int waiting,
    int queued,
    double kvOwned,
    double kvCached,
    OptionalDouble prefixHits,
    double tokensPerSecond,
    double requestsPerSecond,
    double failuresPerSecond,
    Optional<Quantiles> ttft,
    Optional<Quantiles> itl) {}
