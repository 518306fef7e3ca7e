package dev.sluice.worker.graph;

import dev.sluice.worker.kernel.KvType;

/**
 * What a graph depends on beside the model.
 *
 * @param quantization precision of the matrices
 * @param integerWeights form of the weights with {@link Quantization#INT8}
 * @param kvType of the KV cache
 * @param maxContext positions that the rotary tables cover
 * @param blockSize tokens of a KV block
 */
public record GraphOptions(
    Quantization quantization,
    IntegerWeights integerWeights,
    KvType kvType,
    int maxContext,
    int blockSize) {}
