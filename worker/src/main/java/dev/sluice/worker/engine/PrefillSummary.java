package dev.sluice.worker.engine;

/**
 * What is known of a request when its prompt is computed.
 *
 * @param promptTokens tokens of the prompt
 * @param cachedPromptTokens of these, tokens that were found in the cache
 * @param queueNanos arrival at the engine to first scheduled
 * @param prefillNanos first scheduled to last prompt token computed
 * @param chunks steps that computed a part of the prompt, again ones after preemption included
 */
public record PrefillSummary(
    int promptTokens, int cachedPromptTokens, long queueNanos, long prefillNanos, int chunks) {}
