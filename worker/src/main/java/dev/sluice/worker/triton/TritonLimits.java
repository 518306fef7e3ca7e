package dev.sluice.worker.triton;

import dev.sluice.worker.engine.SchedulingConfig;
import java.time.Duration;

/**
 * How much is taken.
 *
 * @param maxRunning most requests that Triton has at a time
 * @param maxWaitingRequests most requests that wait here
 * @param maxWaitingTokens most prompt tokens of these together; a request that finds nobody waiting
 *     is taken whatever its size
 * @param retryAfter what a refused caller is told, if nothing better is known
 * @param scheduling in which order they are sent
 */
public record TritonLimits(
    int maxRunning,
    int maxWaitingRequests,
    long maxWaitingTokens,
    Duration retryAfter,
    SchedulingConfig scheduling) {}
