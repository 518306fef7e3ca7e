package dev.sluice.worker.engine;

import java.util.Arrays;
import java.util.List;

/**
 * The books of the KV cache: which block belongs to whom. It knows no content.
 *
 * <pre>
 *   block       blockSize consecutive tokens of one sequence, in every layer
 *   references  how many block tables hold it
 *   free        references = 0, in the free list
 *   owned       references &gt; 0
 *
 *            allocate, append
 *     free ------------------&gt; owned
 *          &lt;------------------
 *                  free
 *
 *   free list, linked through nextFree:
 *     firstFree -&gt; 7 -&gt; 2 -&gt; 5 -&gt; END
 * </pre>
 *
 * The block freed last is handed out first, since its memory is the most likely to be in the
 * processor's caches. Methods that begin with {@code can} change nothing. Every operation takes
 * constant time per block and allocates nothing.
 *
 * <p>Threading: engine thread.
 */
final class BlockPool {
  private static final int END = -1;

  private final int blockSize;
  private final int[] nextFree; // [blocks]
  private final int[] references; // [blocks]
  private int firstFree;
  private int free;

  BlockPool(int blocks, int blockSize) {
    this.blockSize = blockSize;
    this.nextFree = new int[blocks];
    this.references = new int[blocks];
    for (int block = 0; block < blocks; block++) {
      nextFree[block] = block + 1 < blocks ? block + 1 : END;
    }
    this.firstFree = blocks == 0 ? END : 0;
    this.free = blocks;
  }

  int total() {
    return references.length;
  }

  int free() {
    return free;
  }

  int owned() {
    return references.length - free;
  }

  /** Blocks that this many tokens need. */
  int blocksFor(int tokens) {
    return Math.ceilDiv(tokens, blockSize);
  }

  /** Whether an empty table can get blocks for this many tokens, and {@code spare} stay free. */
  boolean canAllocate(int tokens, int spare) {
    return free - spare >= blocksFor(tokens);
  }

  /** Gives an empty table blocks for this many tokens. */
  void allocate(BlockTable table, int tokens) {
    if (table.size() != 0) {
      throw new IllegalStateException("table has " + table.size() + " blocks (expected: none)");
    }
    for (int i = blocksFor(tokens); i > 0; i--) {
      table.push(takeFree());
    }
  }

  /** Whether a table has, or can get, a place for its token number {@code tokens}. */
  boolean canAppend(BlockTable table, int tokens) {
    return blocksFor(tokens) <= table.size() || free > 0;
  }

  /** Gives a table, which holds all tokens before, a place for its token number {@code tokens}. */
  void append(BlockTable table, int tokens) {
    if (blocksFor(tokens) > table.size()) {
      table.push(takeFree());
    }
  }

  /** Takes all blocks of a table away, the last one first. */
  void free(BlockTable table) {
    while (table.size() > 0) {
      int block = table.pop();
      if (references[block] < 1) {
        throw new IllegalStateException("block " + block + " is freed but not owned");
      }
      if (--references[block] == 0) {
        nextFree[block] = firstFree;
        firstFree = block;
        free++;
      }
    }
  }

  private int takeFree() {
    int block = firstFree;
    if (block == END) {
      throw new IllegalStateException("no free block of " + total());
    }
    firstFree = nextFree[block];
    references[block] = 1;
    free--;
    return block;
  }

  /**
   * Proves that every block is either free or owned, by exactly as many of the tables as its
   * reference count says.
   *
   * @param tables all tables that hold blocks
   * @throws IllegalStateException naming what does not hold
   */
  void checkIntegrity(List<BlockTable> tables) {
    int[] expected = new int[total()];
    for (BlockTable table : tables) {
      for (int i = 0; i < table.size(); i++) {
        expected[table.blocks()[i]]++;
      }
    }
    if (!Arrays.equals(expected, references)) {
      throw new IllegalStateException(
          "references: "
              + Arrays.toString(references)
              + " (expected: "
              + Arrays.toString(expected)
              + ")");
    }
    int listed = 0;
    for (int block = firstFree; block != END; block = nextFree[block]) {
      if (references[block] != 0) {
        throw new IllegalStateException("block " + block + " is both free and owned");
      }
      if (++listed > free) {
        throw new IllegalStateException("more blocks are in the free list than " + free);
      }
    }
    int owned = (int) Arrays.stream(references).filter(count -> count > 0).count();
    if (listed != free || free + owned != total()) {
      throw new IllegalStateException(
          listed
              + " blocks in the free list, "
              + free
              + " counted as free, "
              + owned
              + " owned (expected: "
              + total()
              + " together)");
    }
  }
}
