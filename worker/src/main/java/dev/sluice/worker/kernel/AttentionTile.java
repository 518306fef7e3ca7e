package dev.sluice.worker.kernel;

import java.util.Arrays;

/**
 * The attention of one tile: up to 16 neighbouring tokens of one sequence, all in one block, for
 * the query heads that share one KV head. A row is one token and one query head.
 *
 * <p>A row's arithmetic depends on its sequence alone. It walks the keys in ranges of {@value
 * #RANGE} positions counted from position 0, makes of each a part (largest score, sum of weights,
 * weighted values), and merges the parts in order. A range, or a block of it, in which a row sees
 * nothing changes no bit of the row, so it does not matter with which others it shares a tile.
 *
 * <p>Threading: one object per thread. Allocates nothing after construction.
 */
final class AttentionTile {
  /** Positions of a range. Fixed for ever: other ranges give other bits. */
  static final int RANGE = 64;

  private static final int RANGE_BLOCKS = RANGE / AttentionShape.BLOCK_SIZE;

  private final AttentionShape shape;
  private final int headSize;
  private final long headBytes;
  private final int group;
  private final Rotary rotary;
  private final float[] queries; // [rows, headSize]: rotated and scaled
  private final float[] weights; // [rows, RANGE]: scores, then weights, of a range
  private final float[] rows; // [rows, headSize]: weighted values so far
  private final float[] rowMaxima; // [rows]: largest scores so far
  private final float[] rowWeights; // [rows]: sums of weights so far
  private final float[] parts; // the same three of a range
  private final float[] partMaxima;
  private final float[] partWeights;
  private final float[] keep; // [rows]: factors of a merge
  private final float[] add;
  private final float[] sums = new float[Lanes.LOGICAL];
  private final long[] keyBlocks = new long[RANGE_BLOCKS]; // addresses
  private final long[] valueBlocks = new long[RANGE_BLOCKS];

  AttentionTile(AttentionShape shape) {
    this.shape = shape;
    this.headSize = shape.headSize();
    this.headBytes = 4L * headSize;
    this.group = shape.group();
    this.rotary = new Rotary(shape);
    int most = AttentionShape.BLOCK_SIZE * group; // a multiple of 16
    this.queries = new float[most * headSize];
    this.weights = new float[most * RANGE];
    this.rows = new float[most * headSize];
    this.rowMaxima = new float[most];
    this.rowWeights = new float[most];
    this.parts = new float[most * headSize];
    this.partMaxima = new float[most];
    this.partWeights = new float[most];
    this.keep = new float[most];
    this.add = new float[most];
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
    int firstVisible = shape.firstVisible(start);
    int firstRange = firstVisible / RANGE * RANGE;
    for (int range = firstRange; range < end; range += RANGE) {
      // Columns of the range: [from, seen) may be seen by any row, [from, columns) are computed.
      int from = Math.max(0, firstVisible - range) & -Lanes.LOGICAL;
      int seen = Math.min(RANGE, end - range);
      int columns = seen + Lanes.LOGICAL - 1 & -Lanes.LOGICAL;
      locateBlocks(call, sequence, range, from, seen, kvHead);
      scores(rowCount, from, columns);
      int position = start - range; // of the first token, in the range
      if (range == firstRange) {
        softmax(rowCount, from, columns, position, rowMaxima, rowWeights);
        weightedValues(rowCount, from, seen, rows);
      } else {
        softmax(rowCount, from, columns, position, partMaxima, partWeights);
        weightedValues(rowCount, from, seen, parts);
        merge(rowCount);
      }
    }
    for (int row = 0; row < rowCount; row++) {
      long head = (long) kvHead * group + row % group;
      long token = (long) firstToken + row / group;
      AttentionRange.finish(
          rows,
          row * headSize,
          rowWeights[row],
          headSize,
          call.output + (token * shape.heads() + head) * headBytes);
    }
  }

  /** Rotates and scales the tile's queries; rows that fill up the last group are zero. */
  private void loadQueries(AttentionCall call, int firstToken, int start, int tokens, int kvHead) {
    int row = 0;
    for (int i = 0; i < tokens; i++) {
      long table = (start + i) * headBytes / 2;
      long head =
          call.query + (firstToken + i) * call.queryStride + (long) kvHead * group * headBytes;
      for (int g = 0; g < group; g++, row++) {
        rotary.rotate(
            head + g * headBytes,
            call.queryNorm,
            call.cosine + table,
            call.sine + table,
            shape.scale(),
            queries,
            row * headSize);
      }
    }
    int wholeGroups = row + AttentionRange.ROWS - 1 & -AttentionRange.ROWS;
    Arrays.fill(queries, row * headSize, wholeGroups * headSize, 0);
  }

  private void locateBlocks(
      AttentionCall call, int sequence, int range, int from, int seen, int kvHead) {
    for (int b = from / AttentionShape.BLOCK_SIZE; b * AttentionShape.BLOCK_SIZE < seen; b++) {
      long block = call.block(sequence, range + b * AttentionShape.BLOCK_SIZE);
      long offset = (block * shape.kvHeads() + kvHead) * shape.blockBytes();
      keyBlocks[b] = call.keyCache + offset;
      valueBlocks[b] = call.valueCache + offset;
    }
  }

  private void scores(int rowCount, int from, int columns) {
    for (int row = 0; row < rowCount; row += AttentionRange.ROWS) {
      for (int column = from; column < columns; column += 2 * Lanes.WIDTH) {
        // With vectors of 16 the last block may have no partner: it is computed twice.
        int other = Math.min(column + Lanes.WIDTH, columns - Lanes.WIDTH);
        AttentionRange.scores(
            queries,
            row * headSize,
            headSize,
            keys(column),
            keys(other),
            weights,
            row * RANGE + column,
            row * RANGE + other,
            RANGE);
      }
    }
  }

  /** The address of a column's keys: of its lane in the first line of its block. */
  private long keys(int column) {
    return keyBlocks[column / Lanes.LOGICAL] + column % Lanes.LOGICAL * 4L;
  }

  private void softmax(
      int rowCount, int from, int columns, int position, float[] maxima, float[] totals) {
    for (int row = 0; row < rowCount; row++) {
      int own = position + row / group;
      int first = (int) Math.max(from, own - (long) shape.window() + 1);
      int end = Math.min(columns, own + 1);
      maxima[row] = AttentionRange.softmax(weights, row * RANGE, from, columns, first, end, sums);
      totals[row] = Lanes.sum(sums);
    }
  }

  private void weightedValues(int rowCount, int from, int seen, float[] target) {
    for (int row = 0; row < rowCount; row += AttentionRange.ROWS) {
      for (int column = 0; column < headSize; column += 2 * Lanes.WIDTH) {
        AttentionRange.weightedValues(
            weights,
            row * RANGE,
            RANGE,
            from,
            seen,
            valueBlocks,
            headSize,
            column,
            Math.min(column + Lanes.WIDTH, headSize - Lanes.WIDTH),
            target,
            row * headSize);
      }
    }
  }

  private void merge(int rowCount) {
    int count = rowCount + Lanes.LOGICAL - 1 & -Lanes.LOGICAL;
    AttentionRange.mergeFactors(rowMaxima, rowWeights, partMaxima, partWeights, keep, add, count);
    for (int row = 0; row < rowCount; row++) {
      AttentionRange.merge(rows, parts, row * headSize, keep[row], add[row], headSize);
    }
  }
}
