package dev.sluice.worker.kernel;

/**
 * The operands of one {@link PagedAttention#run}, all in native memory, filled anew for every run.
 * With T tokens of B sequences, D = headSize:
 *
 * <pre>
 *   query, key, value    float [T, heads * D], [T, kvHeads * D] twice; rows may be strided
 *   keyCache             float [blocks, kvHeads, D, 16]
 *   valueCache           float [blocks, kvHeads, 16, D]
 *   cumulativeLengths    int   [B + 1]
 *   pastLengths          int   [B]
 *   blockTable           int   [B, tableWidth]
 *   cosine, sine         float [positions, D / 2]
 *   queryNorm, keyNorm   float [D] each, or both 0: no norm
 *   output               float [T, heads * D]
 * </pre>
 *
 * A block's keys are transposed: one dimension of 16 tokens lies together, so that 16 scores grow
 * side by side in 16 lanes and need no sum over lanes.
 *
 * <p>Threading: filled by the thread that calls {@code run}, only read during it.
 */
final class AttentionCall {
  long query;
  long queryStride; // bytes from row to row
  long key;
  long value;
  long keyValueStride;
  long keyCache;
  long valueCache;
  long cumulativeLengths;
  long pastLengths;
  long blockTable;
  int tableWidth;
  int sequences;
  int tokens;
  long cosine;
  long sine;
  long queryNorm;
  long keyNorm;
  long output;

  int firstToken(int sequence) {
    return Lanes.getInt(cumulativeLengths + 4L * sequence);
  }

  int pastLength(int sequence) {
    return Lanes.getInt(pastLengths + 4L * sequence);
  }

  /** The block that holds the position of the sequence. */
  int block(int sequence, int position) {
    long entry = (long) sequence * tableWidth + position / AttentionShape.BLOCK_SIZE;
    return Lanes.getInt(blockTable + 4 * entry);
  }
}
