package dev.sluice.router.page;

import dev.sluice.router.fleet.WorkerView;
import java.util.OptionalDouble;

/**
 * A worker in one second.
 *
 * @param tokensPerSecond its output, also for other routers
 * @param prefixHits share of the prompt tokens of this router's recent requests that it had cached;
 *     empty without requests
 */
record WorkerRow(WorkerView view, double tokensPerSecond, OptionalDouble prefixHits) {}
