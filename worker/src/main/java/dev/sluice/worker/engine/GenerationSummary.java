package dev.sluice.worker.engine;

import java.util.List;

/**
 * What a request cost.
 *
 * @param promptTokens tokens of the prompt
 * @param cachedPromptTokens of these, tokens that were found in the cache
 * @param outputTokens tokens handed to the listener, less those that {@link Engine#stop} discarded
 * @param preemptions times that the request lost its blocks to others and was recomputed
 * @param prefillChunks steps that computed a part of the prompt, again ones after preemption
 *     included
 * @param milestones what happened on the way, the first of them
 * @param timings when
 */
public record GenerationSummary(
    String requestId,
    int promptTokens,
    int cachedPromptTokens,
    int outputTokens,
    int preemptions,
    int prefillChunks,
    List<Milestone> milestones,
    RequestTimings timings) {}
