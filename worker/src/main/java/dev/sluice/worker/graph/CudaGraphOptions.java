package dev.sluice.worker.graph;

/**
 * What a graph for a GPU depends on beside the model.
 *
 * @param quantization precision of the matrices: {@link Quantization#NONE}, held in {@code type},
 *     or in blocks
 * @param type of activations, of weights that are not quantised, and of the cache
 * @param cache how K and V are held
 * @param maxContext positions that the rotary tables cover
 * @param attentionDomain where {@code PagedAttention} comes from: {@link #MICROSOFT}, or another
 *     implementation of the same operator
 */
public record CudaGraphOptions(
    Quantization quantization,
    HalfType type,
    CudaCache cache,
    int maxContext,
    String attentionDomain) {
  /** The domain of the operators that ONNX Runtime adds. */
  public static final String MICROSOFT = OnnxGraph.MICROSOFT;
}
