package dev.sluice.worker.engine;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Finds KV blocks by their content: the tokens of a block and of all blocks before it.
 *
 * <pre>
 *   block     parent   tokens        valid
 *     7       (salt)   The cat sat     16      full: never written again
 *     2         7      on the mat      16
 *     5         2      . It purr        9      a prefill is at work on it
 * </pre>
 *
 * A block is entered when a prefill is about to compute it, so that others with the same prefix
 * wait for it instead of computing it again; {@code valid} of its tokens are computed. The hash
 * only narrows the search: a block is found if its parent is the very block found before it (or, at
 * the beginning of a sequence, its salt is the same) and its tokens are equal. So a collision of
 * hashes costs a hit, and never shows one request another's content.
 *
 * <p>Threading: engine thread. Every operation takes constant time, in expectation, and allocates
 * nothing.
 */
final class PrefixCache {
  /** No block: nothing found, or the parent of a first block. */
  static final int NONE = -1;

  private final int blockSize;
  private final int mask;
  private final CacheJournal journal;
  private final int[] buckets; // [power of two]; the first block of each
  private final int[] next; // [blocks]; in the bucket
  private final long[] high; // [blocks]
  private final long[] low; // [blocks]
  private final int[] parent; // [blocks]
  private final @Nullable String[] salt; // [blocks]; of first blocks
  private final int[] tokens; // [blocks * blockSize]
  private final int[] valid; // [blocks]
  private final boolean[] entered; // [blocks]
  private int full;

  PrefixCache(int blocks, int blockSize, CacheJournal journal) {
    this.blockSize = blockSize;
    this.journal = journal;
    int size = Math.max(2, Integer.highestOneBit(Math.max(1, blocks)) * 4);
    this.mask = size - 1;
    this.buckets = new int[size];
    Arrays.fill(buckets, NONE);
    this.next = new int[blocks];
    this.high = new long[blocks];
    this.low = new long[blocks];
    this.parent = new int[blocks];
    this.salt = new String[blocks];
    this.tokens = new int[blocks * blockSize];
    this.valid = new int[blocks];
    this.entered = new boolean[blocks];
  }

  /** Blocks that are full. */
  int full() {
    return full;
  }

  boolean contains(int block) {
    return entered[block];
  }

  /** How many of a block's tokens are computed. */
  int valid(int block) {
    return valid[block];
  }

  boolean isFull(int block) {
    return entered[block] && valid[block] == blockSize;
  }

  /**
   * The block with this content, or {@link #NONE}.
   *
   * @param index of the block in its sequence
   * @param parentBlock the block found for index - 1, {@link #NONE} at index 0
   * @param content tokens of the sequence
   */
  int find(BlockHashes hashes, int index, int parentBlock, int[] content) {
    long blockHigh = hashes.high(index);
    long blockLow = hashes.low(index);
    int block = buckets[(int) blockHigh & mask];
    while (block != NONE) {
      if (high[block] == blockHigh
          && low[block] == blockLow
          && parent[block] == parentBlock
          && (parentBlock != NONE || hashes.salt().equals(salt[block]))
          && equal(block, content, index)) {
        return block;
      }
      block = next[block];
    }
    return NONE;
  }

  private boolean equal(int block, int[] content, int index) {
    int from = index * blockSize;
    int own = block * blockSize;
    return Arrays.equals(tokens, own, own + blockSize, content, from, from + blockSize);
  }

  /** Enters a block of which nothing is computed; its content must not be there yet. */
  void enter(int block, BlockHashes hashes, int index, int parentBlock, int[] content) {
    high[block] = hashes.high(index);
    low[block] = hashes.low(index);
    parent[block] = parentBlock;
    salt[block] = parentBlock == NONE ? hashes.salt() : null;
    System.arraycopy(content, index * blockSize, tokens, block * blockSize, blockSize);
    valid[block] = 0;
    entered[block] = true;
    int bucket = (int) high[block] & mask;
    next[block] = buckets[bucket];
    buckets[bucket] = block;
  }

  /** More of a block is computed. */
  void validate(int block, int newValid) {
    if (newValid <= valid[block]) {
      return;
    }
    valid[block] = newValid;
    if (newValid == blockSize) {
      full++;
      journal.stored(high[block], low[block]);
    }
  }

  /** Takes a block out. */
  void remove(int block) {
    int bucket = (int) high[block] & mask;
    if (buckets[bucket] == block) {
      buckets[bucket] = next[block];
    } else {
      int before = buckets[bucket];
      while (next[before] != block) {
        before = next[before];
      }
      next[before] = next[block];
    }
    if (valid[block] == blockSize) {
      full--;
      journal.removed(high[block], low[block]);
    }
    entered[block] = false;
    salt[block] = null;
  }

  /** The hashes of all full blocks: high, low, high, low, ... */
  long[] hashes() {
    long[] hashes = new long[2 * full];
    int words = 0;
    for (int block = 0; block < entered.length; block++) {
      if (isFull(block)) {
        hashes[words++] = high[block];
        hashes[words++] = low[block];
      }
    }
    return hashes;
  }

  /**
   * Proves that every block can be found, and that a block's parent is there and has at least as
   * many users.
   *
   * @param references users of each block
   * @throws IllegalStateException naming what does not hold
   */
  void checkIntegrity(int[] references) {
    int found = 0;
    for (int bucket : buckets) {
      for (int block = bucket; block != NONE; block = next[block]) {
        if (!entered[block] || ++found > entered.length) {
          throw new IllegalStateException("block " + block + " is listed but not entered");
        }
      }
    }
    int expected = 0;
    int expectedFull = 0;
    for (int block = 0; block < entered.length; block++) {
      if (!entered[block]) {
        continue;
      }
      expected++;
      expectedFull += isFull(block) ? 1 : 0;
      int above = parent[block];
      if (above != NONE && (!entered[above] || references[above] < references[block])) {
        throw new IllegalStateException(
            "block " + block + " outlives its parent " + above + " or has more users");
      }
      if (above != NONE && valid[block] > 0 && valid[above] < blockSize) {
        throw new IllegalStateException(
            "block " + block + " is computed before its parent " + above);
      }
    }
    if (found != expected || full != expectedFull) {
      throw new IllegalStateException(
          found
              + " blocks listed, "
              + full
              + " counted as full (expected: "
              + expected
              + ", "
              + expectedFull
              + ")");
    }
  }
}
