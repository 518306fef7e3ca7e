package dev.sluice.worker.kernel;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * Computes one {@link AttentionUnit} after the other. A row is one token and one query head; the
 * rows of a KV head begin at a multiple of {@link KvFormat#ROWS}, and those between are of no
 * account.
 *
 * <p>A row's arithmetic depends on its sequence alone. It walks the keys in ranges of {@link
 * AttentionRange#SIZE} positions counted from position 0, makes of each a part (largest score, sum
 * of weights, weighted values), and merges the parts in order. A range, or a block of it, in which
 * a row sees nothing changes no bit of the row, so it does not matter with which others it shares a
 * unit.
 *
 * <p>Threading: one object per thread. Allocates nothing after construction.
 */
final class AttentionTile {
  private static final int RANGE = AttentionRange.SIZE;
  private static final int BLOCK = AttentionShape.BLOCK_SIZE;
  private static final float LOG2_E = 1.442695f;

  private final AttentionShape shape;
  private final KvFormat format;
  private final CacheWriter writer;
  private final Rotary rotary;
  private final int headSize;
  private final int group;
  private final float[] query; // [headSize]: rotated and scaled
  private final float[] queries; // [rows / 4, headSize, 4]: those of a group side by side
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
  private final long[] entries = new long[RANGE / BLOCK]; // of a range's blocks, in the caches
  private final long[] valueBlocks = new long[RANGE / BLOCK]; // addresses

  AttentionTile(AttentionShape shape, KvType kvType) {
    this.shape = shape;
    this.format = KvFormat.of(kvType, shape.headSize());
    this.writer = new CacheWriter(shape, kvType);
    this.rotary = new Rotary(shape);
    this.headSize = shape.headSize();
    this.group = shape.group();
    int most = roundUp(AttentionUnit.mostRows(shape));
    this.query = new float[headSize];
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

  private static int roundUp(int count) {
    return (count + Lanes.LOGICAL - 1) & -Lanes.LOGICAL;
  }

  /** Stores the keys and values of tokens of the step; see {@link CacheWriter}. */
  void store(AttentionCall call, int from, int to) {
    writer.store(call, from, to);
  }

  /**
   * Computes a unit.
   *
   * @param partials receives the parts of the ranges, if the unit is not whole
   */
  void compute(AttentionCall call, AttentionUnit unit, float[] partials) {
    if (unit.stores()) {
      writer.store(call, unit);
    }
    loadQueries(call, unit);
    for (int range = unit.firstRange(); range < unit.endRange(); range++) {
      if (!unit.whole()) {
        attend(call, unit, range, parts, partMaxima, partWeights);
        keepPart(unit, range, partials);
      } else if (range == unit.firstRange()) {
        attend(call, unit, range, rows, rowMaxima, rowWeights);
      } else {
        attend(call, unit, range, parts, partMaxima, partWeights);
        merge(unit);
      }
    }
    if (unit.whole()) {
      finish(call, unit);
    }
  }

  /** Merges the parts of a tile whose ranges were computed by several units. */
  void merge(AttentionCall call, AttentionUnit split, float[] partials) {
    int count = rowCount(split);
    for (int range = split.firstRange(); range < split.endRange(); range++) {
      boolean first = range == split.firstRange();
      int at = partAt(split, range);
      int values = count * headSize;
      System.arraycopy(partials, at, first ? rows : parts, 0, values);
      System.arraycopy(partials, at + values, first ? rowMaxima : partMaxima, 0, count);
      System.arraycopy(partials, at + values + count, first ? rowWeights : partWeights, 0, count);
      if (!first) {
        merge(split);
      }
    }
    finish(call, split);
  }

  private void keepPart(AttentionUnit unit, int range, float[] partials) {
    int count = rowCount(unit);
    int at = partAt(unit, range);
    int values = count * headSize;
    System.arraycopy(parts, 0, partials, at, values);
    System.arraycopy(partMaxima, 0, partials, at + values, count);
    System.arraycopy(partWeights, 0, partials, at + values + count, count);
  }

  private int partAt(AttentionUnit unit, int range) {
    int floats = AttentionUnit.partFloats(rowCount(unit), shape);
    return unit.partsAt() + (range - unit.firstRange()) * floats;
  }

  private int headRows(AttentionUnit unit) {
    return AttentionUnit.wholeGroups(unit.tokens() * group);
  }

  private int rowCount(AttentionUnit unit) {
    return unit.heads() * headRows(unit);
  }

  /** Rotates and scales the unit's queries; rows of no account are zero. */
  private void loadQueries(AttentionCall call, AttentionUnit unit) {
    long headBytes = 4L * headSize;
    int firstToken = call.token(unit.sequence(), unit.start());
    for (int head = 0; head < unit.heads(); head++) {
      int row = head * headRows(unit);
      for (int i = 0; i < unit.tokens(); i++) {
        long table = (unit.start() + i) * headBytes / 2;
        long source =
            call.query
                + (firstToken + i) * call.queryStride
                + (long) (unit.firstHead() + head) * group * headBytes;
        for (int g = 0; g < group; g++, row++) {
          rotary.rotate(
              source + g * headBytes,
              call.queryNorm,
              call.cosine + table,
              call.sine + table,
              shape.scale() * LOG2_E,
              query,
              0);
          putQuery(row);
        }
      }
      Arrays.fill(query, 0);
      for (; row < (head + 1) * headRows(unit); row++) {
        putQuery(row);
      }
    }
  }

  private void putQuery(int row) {
    int at = row / KvFormat.ROWS * KvFormat.ROWS * headSize + row % KvFormat.ROWS;
    for (int d = 0; d < headSize; d++) {
      queries[at + d * KvFormat.ROWS] = query[d];
    }
  }

  /** Makes the parts of one range. */
  private void attend(
      AttentionCall call,
      AttentionUnit unit,
      int range,
      float[] values,
      float[] maxima,
      float[] totals) {
    int first = range * RANGE;
    // Columns of the range: [from, seen) may be seen by any row, [from, columns) are computed.
    int from = Math.max(0, shape.firstVisible(unit.start()) - first) & -BLOCK;
    int seen = Math.min(RANGE, unit.start() + unit.tokens() - first);
    int columns = roundUp(seen);
    for (int column = from; column < columns; column += BLOCK) {
      long block = call.block(unit.sequence(), first + column);
      entries[column / BLOCK] = block * shape.kvHeads() + unit.firstHead();
    }
    scores(call, unit, from, columns);
    for (int head = 0; head < unit.heads(); head++) {
      if (format.scaled()) {
        scale(unit, head, call.keyScales, from, columns, columns);
      }
      hide(unit, head, first, from, columns);
      softmax(unit, head, maxima, totals);
      if (format.scaled()) {
        scale(unit, head, call.valueScales, from, seen, columns);
      }
    }
    weightedValues(call, unit, from, seen, values);
  }

  /** Goes through the blocks as they lie in memory: head by head, then on to the next. */
  private void scores(AttentionCall call, AttentionUnit unit, int from, int columns) {
    int headRows = headRows(unit);
    for (int columnA = from; columnA < columns; columnA += 2 * Lanes.WIDTH) {
      // With vectors of 16 the last block may have no partner: it is computed twice.
      int columnB = Math.min(columnA + Lanes.WIDTH, columns - Lanes.WIDTH);
      for (int head = 0; head < unit.heads(); head++) {
        long keyA = keys(call, columnA, head);
        long keyB = keys(call, columnB, head);
        for (int row = head * headRows; row < (head + 1) * headRows; row += KvFormat.ROWS) {
          int score = row * RANGE;
          format.scores(
              queries, row * headSize, keyA, keyB, weights, score + columnA, score + columnB);
        }
      }
    }
  }

  /** The address of a column's keys: of its lane in the first line of its block. */
  private long keys(AttentionCall call, int column, int head) {
    long entry = entries[column / BLOCK] + head;
    return call.keyCache + entry * format.keyBytes() + column % BLOCK * 4L;
  }

  /**
   * Multiplies the columns of a head's rows by their tokens' scales.
   *
   * @param scales float [blocks, kvHeads, 16]
   * @param to end of the columns; up to {@code columns}, what is there stays
   */
  private void scale(AttentionUnit unit, int head, long scales, int from, int to, int columns) {
    int firstRow = head * headRows(unit);
    for (int column = from; column < columns; column += Lanes.WIDTH) {
      long entry = entries[column / BLOCK] + head;
      FloatVector scale = Lanes.load(scales + (entry * BLOCK + column % BLOCK) * 4);
      VectorMask<Float> valid = Lanes.SPECIES.indexInRange(column, to);
      for (int row = firstRow; row < firstRow + unit.tokens() * group; row++) {
        int at = row * RANGE + column;
        FloatVector x = Lanes.load(weights, at);
        x.blend(x.mul(scale), valid).intoArray(weights, at);
      }
    }
  }

  /** Sets the scores of what a row does not see to minus infinity. */
  private void hide(AttentionUnit unit, int head, int first, int from, int columns) {
    int row = head * headRows(unit);
    for (int token = 0; token < unit.tokens(); token++) {
      int position = unit.start() + token;
      int begin = Math.clamp(shape.firstVisible(position) - first, from, RANGE);
      int end = Math.min(columns, position + 1 - first);
      for (int g = 0; g < group; g++, row++) {
        int at = row * RANGE;
        Arrays.fill(weights, at, at + begin, Float.NEGATIVE_INFINITY);
        Arrays.fill(weights, at + end, at + RANGE, Float.NEGATIVE_INFINITY);
      }
    }
  }

  private void softmax(AttentionUnit unit, int head, float[] maxima, float[] totals) {
    int firstRow = head * headRows(unit);
    for (int row = firstRow; row < firstRow + unit.tokens() * group; row++) {
      maxima[row] = AttentionRange.largest(weights, row * RANGE);
    }
    for (int row = firstRow; row < firstRow + unit.tokens() * group; row++) {
      AttentionRange.weigh(weights, row * RANGE, maxima[row], sums);
      totals[row] = Lanes.sum(sums);
    }
  }

  private void weightedValues(
      AttentionCall call, AttentionUnit unit, int from, int seen, float[] values) {
    int headRows = headRows(unit);
    for (int head = 0; head < unit.heads(); head++) {
      for (int column = from; column < seen; column += BLOCK) {
        long entry = entries[column / BLOCK] + head;
        valueBlocks[column / BLOCK] = call.valueCache + entry * format.valueBytes();
      }
      for (int row = head * headRows; row < (head + 1) * headRows; row += KvFormat.ROWS) {
        format.weightedValues(
            weights, row * RANGE, from, seen, valueBlocks, values, row * headSize);
      }
    }
  }

  private void merge(AttentionUnit unit) {
    int count = rowCount(unit);
    AttentionRange.mergeFactors(
        rowMaxima, rowWeights, partMaxima, partWeights, keep, add, roundUp(count));
    for (int row = 0; row < count; row++) {
      AttentionRange.merge(rows, parts, row * headSize, keep[row], add[row], headSize);
    }
  }

  private void finish(AttentionCall call, AttentionUnit unit) {
    int firstToken = call.token(unit.sequence(), unit.start());
    for (int head = 0; head < unit.heads(); head++) {
      int row = head * headRows(unit);
      for (int i = 0; i < unit.tokens(); i++) {
        for (int g = 0; g < group; g++, row++) {
          long queryHead = (long) (unit.firstHead() + head) * group + g;
          AttentionRange.finish(
              rows,
              row * headSize,
              rowWeights[row],
              headSize,
              call.output + ((long) (firstToken + i) * shape.heads() + queryHead) * headSize * 4);
        }
      }
    }
  }
}
