package dev.sluice.worker.kernel;

import java.lang.foreign.Arena;

/**
 * The attention of one tile: up to 16 neighbouring tokens of one sequence, all in one block, for
 * the query heads that share one KV head. A row is one token and one query head.
 *
 * <p>A row's arithmetic depends on its sequence alone. It walks the keys in ranges of {@value
 * #RANGE} positions counted from position 0, makes of each a part (largest score, sum of weights,
 * weighted values), and merges the parts in order. All rows of a tile end in the same block, so all
 * walk the same blocks, however the step was cut into chunks.
 *
 * <p>Scratch memory, in floats, with R = rows of a full tile and D = headSize:
 *
 * <pre>
 *   queries    [R, D]       rotated and scaled
 *   weights    [R, 64]      scores, then weights, of a range
 *   part       [R, D]       weighted values of a range
 *   partState  [R, 2]       its largest score and sum of weights
 *   rows       [R, D]       merged so far
 *   state      [R, 2]
 *   sums       [16]         a sum of weights in its 16 parts
 *   blocks     [2, 4]       addresses (8 bytes) of the range's key blocks and value blocks
 * </pre>
 *
 * <p>Threading: one object per thread. Allocates nothing after construction.
 */
final class AttentionTile {
  /** Positions of a range. Fixed for ever: other ranges give other bits. */
  static final int RANGE = 64;

  private static final int RANGE_BLOCKS = RANGE / AttentionShape.BLOCK_SIZE;
  private static final long WEIGHT_STRIDE = 4L * RANGE;
  private static final long VECTOR = 4L * Lanes.WIDTH;

  private final AttentionShape shape;
  private final int headSize;
  private final long headBytes;
  private final int group;
  private final long queries;
  private final long weights;
  private final long part;
  private final long partState;
  private final long rows;
  private final long state;
  private final long sums;
  private final long blocks;

  AttentionTile(AttentionShape shape, Arena arena) {
    this.shape = shape;
    this.headSize = shape.headSize();
    this.headBytes = 4L * headSize;
    this.group = shape.group();
    // Whole groups of rows; a full tile has a multiple of 16 anyway.
    long maxRows = (long) AttentionShape.BLOCK_SIZE * group;
    long cacheLine = 64;
    this.queries = arena.allocate(maxRows * headBytes, cacheLine).address();
    this.weights = arena.allocate(maxRows * WEIGHT_STRIDE, cacheLine).address();
    this.part = arena.allocate(maxRows * headBytes, cacheLine).address();
    this.partState = arena.allocate(maxRows * 8, cacheLine).address();
    this.rows = arena.allocate(maxRows * headBytes, cacheLine).address();
    this.state = arena.allocate(maxRows * 8, cacheLine).address();
    this.sums = arena.allocate(4L * Lanes.LOGICAL, cacheLine).address();
    this.blocks = arena.allocate(2L * RANGE_BLOCKS * 8, cacheLine).address();
  }

  /**
   * Computes a tile.
   *
   * @param sequence index of the sequence in the step
   * @param start position of its first token
   * @param tokens how many; the last is in the same block as the first
   * @param kvHead the KV head; its {@code group} query heads are computed
   */
  void compute(AttentionCall call, int sequence, int start, int tokens, int kvHead) {
    int firstToken = call.firstToken(sequence) + start - call.pastLength(sequence);
    int rowCount = tokens * group;
    loadQueries(call, firstToken, start, tokens, kvHead);
    int end = start + tokens;
    for (int range = 0; range < end; range += RANGE) {
      int seen = Math.min(RANGE, end - range);
      locateBlocks(call, sequence, range, seen, kvHead);
      scores(rowCount, seen);
      boolean first = range == 0;
      softmax(rowCount, seen, start + 1 - range, first ? state : partState);
      weightedValues(rowCount, seen, first ? rows : part);
      if (!first) {
        for (int row = 0; row < rowCount; row++) {
          AttentionRange.merge(
              rows + row * headBytes,
              state + row * 8L,
              part + row * headBytes,
              partState + row * 8L,
              headSize);
        }
      }
    }
    for (int row = 0; row < rowCount; row++) {
      long head = (long) kvHead * group + row % group;
      long token = firstToken + row / group;
      AttentionRange.finish(
          rows + row * headBytes,
          state + row * 8L,
          headSize,
          call.output + (token * shape.heads() + head) * headBytes);
    }
  }

  /** Rotates and scales the tile's queries; rows that fill up the last group are zero. */
  private void loadQueries(AttentionCall call, int firstToken, int start, int tokens, int kvHead) {
    long row = queries;
    for (int i = 0; i < tokens; i++) {
      long table = (start + i) * headBytes / 2;
      long head =
          call.query + (firstToken + i) * call.queryStride + (long) kvHead * group * headBytes;
      for (int g = 0; g < group; g++) {
        Rotary.rotate(
            head + g * headBytes,
            call.cosine + table,
            call.sine + table,
            headSize,
            shape.scale(),
            row);
        row += headBytes;
      }
    }
    int spare = -(tokens * group) & (AttentionRange.ROWS - 1);
    Lanes.MEMORY.asSlice(row, spare * headBytes).fill((byte) 0);
  }

  private void locateBlocks(AttentionCall call, int sequence, int range, int seen, int kvHead) {
    for (int b = 0; b * AttentionShape.BLOCK_SIZE < seen; b++) {
      long block = call.block(sequence, range + b * AttentionShape.BLOCK_SIZE);
      long offset = (block * shape.kvHeads() + kvHead) * shape.blockBytes();
      Lanes.setLong(blocks + 8L * b, call.keyCache + offset);
      Lanes.setLong(blocks + 8L * (RANGE_BLOCKS + b), call.valueCache + offset);
    }
  }

  private void scores(int rowCount, int seen) {
    for (int row = 0; row < rowCount; row += AttentionRange.ROWS) {
      long query = queries + row * headBytes;
      long score = weights + row * WEIGHT_STRIDE;
      for (int column = 0; column < seen; column += 2 * Lanes.WIDTH) {
        int other = column + Lanes.WIDTH < (seen + 15 & -16) ? column + Lanes.WIDTH : column;
        AttentionRange.scores(
            query,
            headSize,
            keys(column),
            keys(other),
            score + 4L * column,
            score + 4L * other,
            WEIGHT_STRIDE);
      }
    }
  }

  /** The address of a column's keys: of its lane in the first line of its block. */
  private long keys(int column) {
    return Lanes.getLong(blocks + column / Lanes.LOGICAL * 8L) + column % Lanes.LOGICAL * 4L;
  }

  /**
   * @param visible columns of the range that the tile's first token may see
   */
  private void softmax(int rowCount, int seen, int visible, long states) {
    int columns = seen + 15 & -16;
    for (int row = 0; row < rowCount; row++) {
      int valid = Math.min(columns, visible + row / group);
      float max = AttentionRange.softmax(weights + row * WEIGHT_STRIDE, columns, valid, sums);
      Lanes.setFloat(states + row * 8L, max);
      Lanes.setFloat(states + row * 8L + 4, Lanes.sum(sums));
    }
  }

  private void weightedValues(int rowCount, int seen, long target) {
    for (int row = 0; row < rowCount; row += AttentionRange.ROWS) {
      for (long column = 0; column < headBytes; column += 2 * VECTOR) {
        AttentionRange.weightedValues(
            weights + row * WEIGHT_STRIDE,
            WEIGHT_STRIDE,
            seen,
            blocks + 8L * RANGE_BLOCKS,
            headSize,
            column,
            Math.min(column + VECTOR, headBytes - VECTOR),
            target + row * headBytes);
      }
    }
  }
}
