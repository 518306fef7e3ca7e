package dev.sluice.worker.kernel;

/**
 * The operands of one {@link PagedAttention#run}, all in native memory, filled anew for every run.
 * With T tokens of B sequences, D = headSize:
 *
 * <pre>
 *   query, key, value    float [T, heads * D], [T, kvHeads * D] twice; rows may be strided
 *   keyCache, valueCache [blocks, kvHeads], of blocks as {@link KvFormat} has them
 *   keyScales, valueScales   float [blocks, kvHeads, 16], if the format is scaled
 *   cumulativeLengths    int   [B + 1]
 *   pastLengths          int   [B]
 *   blockTable           int   [B, tableWidth]
 *   cosine, sine         float [positions, D / 2]
 *   queryNorm, keyNorm   float [D] each, or both 0: no norm
 *   output               float [T, heads * D]
 * </pre>
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
  long keyScales;
  long valueScales;
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

  /** Tokens of a sequence, the step's included. */
  int length(int sequence) {
    return pastLength(sequence) + firstToken(sequence + 1) - firstToken(sequence);
  }

  /** Index in the step of the token at a position. */
  int token(int sequence, int position) {
    return firstToken(sequence) + position - pastLength(sequence);
  }

  /** The block that holds the position of the sequence. */
  int block(int sequence, int position) {
    long entry = (long) sequence * tableWidth + position / AttentionShape.BLOCK_SIZE;
    return Lanes.getInt(blockTable + 4 * entry);
  }
}
