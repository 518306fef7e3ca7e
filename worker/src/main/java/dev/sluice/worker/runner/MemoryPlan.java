package dev.sluice.worker.runner;

/**
 * What a model takes.
 *
 * @param weightBytes of the weights as they are held
 * @param kvBytes of the whole KV cache
 * @param kvBytesPerToken of K and V of one token in all layers
 */
public record MemoryPlan(long weightBytes, long kvBytes, long kvBytesPerToken) {}
