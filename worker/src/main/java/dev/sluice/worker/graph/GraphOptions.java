package dev.sluice.worker.graph;

/**
 * What a graph depends on beside the model.
 *
 * @param quantization precision of the matrices
 * @param integerWeights form of the weights with {@link Quantization#INT8}
 * @param maxContext positions that the rotary tables cover
 * @param blockSize tokens of a KV block
 */
public record GraphOptions(
    Quantization quantization, IntegerWeights integerWeights, int maxContext, int blockSize) {}
