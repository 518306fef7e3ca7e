package dev.sluice.worker.kernel;

/**
 * One piece of a step's attention: some KV heads of a tile, over some ranges of positions. A tile
 * is up to 16 neighbouring tokens of one sequence, all in one block.
 *
 * <p>Threading: written while a step is planned, only read while it runs.
 */
final class AttentionUnit {
  /** The {@code partsAt} of a unit that has all ranges and merges them itself. */
  static final int WHOLE = -1;

  /**
   * Up to so many rows of a KV head, a unit has all KV heads: it then reads whole blocks, one after
   * the other, which is what memory is fast at. With more rows it has one KV head: what it has read
   * is used often enough.
   */
  private static final int FEW_ROWS = 8;

  private int sequence;
  private int start;
  private int tokens;
  private int firstHead;
  private int heads;
  private int firstRange;
  private int endRange;
  private int partsAt;
  private boolean stores;

  /**
   * Makes it another unit.
   *
   * @param start position of the first token
   * @param partsAt where the parts of the ranges go, in floats, or {@link #WHOLE}
   * @param stores whether the unit stores its tokens' keys and values before it attends
   */
  void set(
      int sequence,
      int start,
      int tokens,
      int firstHead,
      int heads,
      int firstRange,
      int endRange,
      int partsAt,
      boolean stores) {
    this.sequence = sequence;
    this.start = start;
    this.tokens = tokens;
    this.firstHead = firstHead;
    this.heads = heads;
    this.firstRange = firstRange;
    this.endRange = endRange;
    this.partsAt = partsAt;
    this.stores = stores;
  }

  int sequence() {
    return sequence;
  }

  int start() {
    return start;
  }

  int tokens() {
    return tokens;
  }

  /** The first of its KV heads. */
  int firstHead() {
    return firstHead;
  }

  int heads() {
    return heads;
  }

  int firstRange() {
    return firstRange;
  }

  int endRange() {
    return endRange;
  }

  boolean whole() {
    return partsAt == WHOLE;
  }

  int partsAt() {
    return partsAt;
  }

  boolean stores() {
    return stores;
  }

  /** KV heads of a unit with so many rows for each of them. */
  static int heads(int rows, AttentionShape shape) {
    return rows <= fewRows(shape) ? shape.kvHeads() : 1;
  }

  /** Most rows that a unit has, those included that fill up groups. */
  static int mostRows(AttentionShape shape) {
    return Math.max(
        shape.kvHeads() * wholeGroups(fewRows(shape)),
        wholeGroups(AttentionShape.BLOCK_SIZE * shape.group()));
  }

  /** A single token is always few rows. */
  private static int fewRows(AttentionShape shape) {
    return Math.max(FEW_ROWS, shape.group());
  }

  /** Rows with those that fill up the last group. */
  static int wholeGroups(int rows) {
    return (rows + KvFormat.ROWS - 1) & -KvFormat.ROWS;
  }

  /** Floats that the part of one range takes: values, largest scores, sums of weights. */
  static int partFloats(int rows, AttentionShape shape) {
    return rows * (shape.headSize() + 2);
  }
}
