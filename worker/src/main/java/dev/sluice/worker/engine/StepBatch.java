package dev.sluice.worker.engine;

import java.util.Arrays;

/**
 * The tokens of one step, packed without padding; filled anew by the engine for every step, read by
 * the runner. With T tokens of B sequences, of which S rows need logits:
 *
 * <pre>
 *   tokenIds          [T]             token ids, sequence after sequence
 *   cumulativeLengths [B + 1]         0, then the end of each sequence's tokens in tokenIds
 *   pastLengths       [B]             tokens of the sequence already in the cache
 *   blockTable        [B, tableWidth] ids of the sequence's blocks, in order; unused ones are 0
 *   logitRows         [S]             ascending indexes into tokenIds; one may come several times
 *   copies            [C, 2]          blocks to be copied first, in this order: from, to
 * </pre>
 *
 * The i-th token of a sequence has position {@code pastLengths + i} and its K and V go to block
 * {@code blockTable[position / blockSize]}, slot {@code position % blockSize}.
 *
 * <p>Threading: engine thread. Allocates nothing after construction.
 */
public final class StepBatch {
  private final int[] tokenIds;
  private final int[] cumulativeLengths;
  private final int[] pastLengths;
  private final int[] blockTable;
  private final int[] logitRows;
  private final int maxTableWidth;
  private final BlockCopies copies;
  private int tokens;
  private int sequences;
  private int logits;
  private int tableWidth;

  public StepBatch(ModelRunner.Geometry geometry) {
    this.tokenIds = new int[geometry.maxBatchedTokens()];
    this.cumulativeLengths = new int[geometry.maxSequences() + 1];
    this.pastLengths = new int[geometry.maxSequences()];
    this.maxTableWidth = geometry.blocksFor(geometry.maxContext());
    this.blockTable = new int[geometry.maxSequences() * maxTableWidth];
    this.logitRows = new int[geometry.maxLogits()];
    this.copies = new BlockCopies(geometry.maxSequences());
  }

  /** Empties the batch. Rows of the block table will be {@code tableWidth} wide. */
  public void begin(int tableWidth) {
    if (tableWidth < 1 || tableWidth > maxTableWidth) {
      throw new IllegalArgumentException(
          "tableWidth: " + tableWidth + " (expected: 1 to " + maxTableWidth + ")");
    }
    this.tableWidth = tableWidth;
    tokens = 0;
    sequences = 0;
    logits = 0;
    copies.clear();
  }

  /** Has a block copied before anything is written; at most one for each sequence of a step. */
  public void addCopy(int fromBlock, int toBlock) {
    copies.add(fromBlock, toBlock);
  }

  /**
   * Starts the next sequence.
   *
   * @param pastLength its tokens already in the cache
   * @param blocks ids of its blocks, from index 0
   * @param blockCount how many of them; must cover all its tokens of this step
   */
  public void addSequence(int pastLength, int[] blocks, int blockCount) {
    int row = sequences * tableWidth;
    System.arraycopy(blocks, 0, blockTable, row, blockCount);
    Arrays.fill(blockTable, row + blockCount, row + tableWidth, 0);
    pastLengths[sequences] = pastLength;
    sequences++;
    cumulativeLengths[sequences] = tokens;
  }

  /** Appends a token to the sequence added last. */
  public void addToken(int tokenId) {
    tokenIds[tokens++] = tokenId;
    cumulativeLengths[sequences] = tokens;
  }

  /** Asks for the logits of the token added last, once more if called again; returns their row. */
  public int addLogits() {
    logitRows[logits] = tokens - 1;
    return logits++;
  }

  /** T, the number of tokens. */
  public int tokens() {
    return tokens;
  }

  /** B, the number of sequences. */
  public int sequences() {
    return sequences;
  }

  /** S, the number of rows that need logits. */
  public int logits() {
    return logits;
  }

  /** C, the number of blocks to be copied. */
  public int copies() {
    return copies.size();
  }

  /** The block that a copy reads. */
  public int copyFrom(int copy) {
    return copies.from(copy);
  }

  /** The block that a copy writes. */
  public int copyTo(int copy) {
    return copies.to(copy);
  }

  /** Width of a row of the block table. */
  public int tableWidth() {
    return tableWidth;
  }

  /** The first {@link #tokens} entries count. Not to be changed. */
  public int[] tokenIds() {
    return tokenIds;
  }

  /** The first {@link #sequences} + 1 entries count. Not to be changed. */
  public int[] cumulativeLengths() {
    return cumulativeLengths;
  }

  /** The first {@link #sequences} entries count. Not to be changed. */
  public int[] pastLengths() {
    return pastLengths;
  }

  /** The first {@link #sequences} * {@link #tableWidth} entries count. Not to be changed. */
  public int[] blockTable() {
    return blockTable;
  }

  /** The first {@link #logits} entries count. Not to be changed. */
  public int[] logitRows() {
    return logitRows;
  }
}
