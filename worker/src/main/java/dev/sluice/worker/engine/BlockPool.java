package dev.sluice.worker.engine;

import java.util.Arrays;
import java.util.List;

/**
 * The books of the KV cache: which block belongs to whom, and which can be found again by its
 * content.
 *
 * <pre>
 *   block       blockSize consecutive tokens of a sequence, in every layer
 *   references  how many block tables hold it
 *   free        references = 0, content of no use; in the free list
 *   owned       references &gt; 0
 *   cached      references = 0, full and in the prefix cache; in the list of idle blocks
 *
 *              allocate, append                         free
 *      free ---------------------&gt; owned ----------------------------&gt; cached
 *        ^                           | ^                                  | |
 *        |        free, if not in    | |        allocate, on a hit        | |
 *        +------- the prefix cache --+ +----------------------------------+ |
 *        +------------------ evict, when no block is free -----------------+
 *
 *   free list, linked through next:     firstFree -&gt; 7 -&gt; 2 -&gt; 5 -&gt; NONE
 *   idle blocks, linked both ways:      oldest &lt;-&gt; 4 &lt;-&gt; 9 &lt;-&gt; newest
 * </pre>
 *
 * Of free blocks the one freed last is handed out first, since its memory is the most likely to be
 * in the processor's caches; of idle ones the least recently used is evicted first. A table gives
 * its blocks back from its tail, and who holds a block holds its parent, so a block is always
 * evicted before its parent. Methods that begin with {@code can} change nothing. Every operation
 * takes constant time per block and allocates nothing.
 *
 * <p>Threading: engine thread.
 */
final class BlockPool {
  private static final int NONE = PrefixCache.NONE;

  private final int blockSize;
  private final PrefixCache cache;
  private final boolean keepsIdle;
  private final int[] references; // [blocks]
  private final int[] next; // [blocks]; in the free list, or towards the newest idle block
  private final int[] previous; // [blocks]; towards the oldest idle block
  private int firstFree;
  private int free;
  private int oldestIdle = NONE;
  private int newestIdle = NONE;
  private int cached;

  /**
   * @param keepsIdle whether content that nobody uses is kept until its block is needed
   */
  BlockPool(int blocks, int blockSize, boolean keepsIdle, CacheJournal journal) {
    this.blockSize = blockSize;
    this.keepsIdle = keepsIdle;
    this.cache = new PrefixCache(blocks, blockSize, journal);
    this.references = new int[blocks];
    this.next = new int[blocks];
    this.previous = new int[blocks];
    for (int block = 0; block < blocks; block++) {
      next[block] = block + 1 < blocks ? block + 1 : NONE;
    }
    this.firstFree = blocks == 0 ? NONE : 0;
    this.free = blocks;
  }

  PrefixCache cache() {
    return cache;
  }

  int blockSize() {
    return blockSize;
  }

  int total() {
    return references.length;
  }

  int free() {
    return free;
  }

  int cached() {
    return cached;
  }

  int owned() {
    return references.length - free - cached;
  }

  /** Blocks that can be handed out. */
  int available() {
    return free + cached;
  }

  /** Tables that hold a block. */
  int references(int block) {
    return references[block];
  }

  /** Blocks that this many tokens need. */
  int blocksFor(int tokens) {
    return Math.ceilDiv(tokens, blockSize);
  }

  /**
   * Blocks of a sequence that may be shared before it has computed anything: so many that at least
   * its last token is left to compute, in a block of its own.
   */
  private int shareable(int length) {
    return (length - 1) / blockSize;
  }

  /**
   * Whether an empty table can get blocks for a sequence, and {@code spare} stay available.
   *
   * @param tokens the sequence's; the first {@code length} count
   * @param hashes of its full blocks
   */
  boolean canAllocate(int[] tokens, int length, BlockHashes hashes, int spare) {
    int needed = blocksFor(length);
    int idle = 0;
    int parent = NONE;
    for (int i = 0; i < shareable(length); i++) {
      int block = cache.find(hashes, i, parent, tokens);
      if (block == NONE) {
        break;
      }
      parent = block;
      needed--;
      idle += references[block] == 0 ? 1 : 0;
    }
    return available() - idle - spare >= needed;
  }

  /** Tokens at the beginning of a sequence that are computed already. */
  int cachedTokens(int[] tokens, int length, BlockHashes hashes) {
    int block = NONE;
    for (int i = 0; i < shareable(length); i++) {
      block = cache.find(hashes, i, block, tokens);
      if (block == NONE || !cache.isFull(block)) {
        return i * blockSize;
      }
    }
    return shareable(length) * blockSize;
  }

  /** Blocks at the beginning of a sequence that are computed already, or being computed. */
  int foundBlocks(int[] tokens, int length, BlockHashes hashes) {
    int block = NONE;
    for (int i = 0; i < shareable(length); i++) {
      block = cache.find(hashes, i, block, tokens);
      if (block == NONE) {
        return i;
      }
    }
    return shareable(length);
  }

  /**
   * Gives an empty table blocks for a sequence: those that hold the beginning of its content
   * already, or will soon, and new ones for the rest, which others can find from now on.
   */
  void allocate(BlockTable table, int[] tokens, int length, BlockHashes hashes) {
    if (table.size() != 0) {
      throw new IllegalStateException("table has " + table.size() + " blocks (expected: none)");
    }
    int shareable = shareable(length);
    while (table.size() < shareable) {
      int block = cache.find(hashes, table.size(), table.lastEntered(), tokens);
      if (block == NONE) {
        break;
      }
      acquire(block);
      table.push(block);
      table.enter();
    }
    for (int i = table.size(); i < blocksFor(length); i++) {
      int parent = table.lastEntered();
      int block = take();
      table.push(block);
      if (i < shareable) {
        cache.enter(block, hashes, i, parent, tokens);
        table.enter();
      }
    }
  }

  /** Blocks that a table needs to take to get places for its tokens up to number {@code tokens}. */
  int blocksToAppend(BlockTable table, int written, int tokens) {
    int more = Math.max(0, blocksFor(tokens) - table.size());
    return more + (writesShared(table, written) ? 1 : 0);
  }

  /** Whether the next token goes into a block that forks share. */
  boolean writesShared(BlockTable table, int written) {
    int index = written / blockSize;
    return index < table.size()
        && index >= table.entered()
        && references[table.blocks()[index]] > 1;
  }

  /**
   * Whether a table has, or can get, places for its tokens up to number {@code tokens}, and {@code
   * spare} blocks stay available.
   */
  boolean canAppend(BlockTable table, int written, int tokens, int spare) {
    return blocksToAppend(table, written, tokens) + spare <= available();
  }

  /**
   * Gives a table places for its tokens up to number {@code tokens}.
   *
   * @param written tokens that are in the cache; those behind are about to be written
   * @param copies gets the block to be copied if forks share the one to be written to
   */
  void append(BlockTable table, int written, int tokens, BlockCopies copies) {
    if (writesShared(table, written)) {
      int index = written / blockSize;
      int shared = table.blocks()[index];
      int own = take();
      copies.add(shared, own);
      references[shared]--;
      table.set(index, own);
    }
    while (table.size() < blocksFor(tokens)) {
      table.push(take());
    }
  }

  /** Lets an empty table share the blocks of the first {@code tokens} tokens of another one. */
  void fork(BlockTable from, BlockTable to, int tokens) {
    if (to.size() != 0) {
      throw new IllegalStateException("table has " + to.size() + " blocks (expected: none)");
    }
    int blocks = blocksFor(tokens);
    for (int i = 0; i < blocks; i++) {
      references[from.blocks()[i]]++;
    }
    to.copy(from, blocks);
  }

  /** Takes back what a table holds beyond its first {@code tokens} tokens. */
  void truncate(BlockTable table, int tokens) {
    while (table.size() > blocksFor(tokens)) {
      release(table.pop());
    }
  }

  /** Takes all blocks of a table away, the last one first. */
  void free(BlockTable table) {
    while (table.size() > 0) {
      release(table.pop());
    }
  }

  /**
   * How far a sequence's content is in its shared blocks, whoever has computed it.
   *
   * @param computed tokens that it knows to be in the cache
   * @return {@code computed} or more
   */
  int computed(BlockTable table, int computed) {
    for (int i = computed / blockSize; i < table.entered(); i++) {
      int valid = cache.valid(table.blocks()[i]);
      computed = Math.max(computed, i * blockSize + valid);
      if (valid < blockSize) {
        break;
      }
    }
    return computed;
  }

  /**
   * Takes notice that the first {@code computed} tokens of a sequence are in the cache: others can
   * use its full blocks. Where another block has the same content already, the table gets that one.
   *
   * @param from how many there were before
   */
  void commitHashes(BlockTable table, int[] tokens, BlockHashes hashes, int from, int computed) {
    for (int i = from / blockSize; i < table.entered() && i * blockSize < computed; i++) {
      cache.validate(table.blocks()[i], Math.min(blockSize, computed - i * blockSize));
    }
    for (int i = table.entered(); (i + 1) * blockSize <= computed; i++) {
      int same = cache.find(hashes, i, table.lastEntered(), tokens);
      int own = table.blocks()[i];
      if (same == NONE) {
        cache.enter(own, hashes, i, table.lastEntered(), tokens);
        cache.validate(own, blockSize);
      } else if (cache.isFull(same) && (same == own || references[own] == 1)) {
        acquire(same);
        table.set(i, same);
        release(own);
      } else {
        return; // another one computes the same just now, or forks share this one: another time
      }
      table.enter();
    }
  }

  /** One more table holds a block. */
  private void acquire(int block) {
    if (references[block]++ == 0) {
      unlinkIdle(block);
    }
  }

  /** One table less holds a block. */
  private void release(int block) {
    if (references[block] < 1) {
      throw new IllegalStateException("block " + block + " is freed but not owned");
    }
    if (--references[block] > 0) {
      return;
    }
    if (keepsIdle && cache.isFull(block)) {
      linkNewest(block);
      return;
    }
    if (cache.contains(block)) {
      cache.remove(block);
    }
    addFree(block);
  }

  /** A block for new content; an idle one loses its own if no other is left. */
  private int take() {
    if (firstFree == NONE) {
      if (oldestIdle == NONE) {
        throw new IllegalStateException("no block available of " + total());
      }
      int evicted = oldestIdle;
      unlinkIdle(evicted);
      cache.remove(evicted);
      addFree(evicted);
    }
    int block = firstFree;
    firstFree = next[block];
    references[block] = 1;
    free--;
    return block;
  }

  private void addFree(int block) {
    next[block] = firstFree;
    firstFree = block;
    free++;
  }

  private void linkNewest(int block) {
    previous[block] = newestIdle;
    next[block] = NONE;
    if (newestIdle == NONE) {
      oldestIdle = block;
    } else {
      next[newestIdle] = block;
    }
    newestIdle = block;
    cached++;
  }

  private void unlinkIdle(int block) {
    int older = previous[block];
    int newer = next[block];
    if (older == NONE) {
      oldestIdle = newer;
    } else {
      next[older] = newer;
    }
    if (newer == NONE) {
      newestIdle = older;
    } else {
      previous[newer] = older;
    }
    cached--;
  }

  /**
   * Proves that every block is free, cached, or owned by exactly as many of the tables as its
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
      for (int i = 0; i < table.entered(); i++) {
        if (!cache.contains(table.blocks()[i])) {
          throw new IllegalStateException(
              "block " + table.blocks()[i] + " is not in the prefix cache, as its table says");
        }
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
    int listedFree = listed(firstFree, false, free);
    int listedIdle = listed(oldestIdle, true, cached);
    int owned = (int) Arrays.stream(references).filter(count -> count > 0).count();
    if (listedFree != free || listedIdle != cached || free + cached + owned != total()) {
      throw new IllegalStateException(
          listedFree
              + " blocks in the free list, "
              + free
              + " counted as free, "
              + listedIdle
              + " idle, "
              + cached
              + " counted as cached, "
              + owned
              + " owned (expected: "
              + total()
              + " together)");
    }
    cache.checkIntegrity(references);
  }

  private int listed(int first, boolean idle, int most) {
    int listed = 0;
    for (int block = first; block != NONE; block = next[block]) {
      if (references[block] != 0 || cache.contains(block) != idle) {
        throw new IllegalStateException(
            "block " + block + " is listed as " + (idle ? "idle" : "free") + " but is not");
      }
      if (++listed > most) {
        throw new IllegalStateException("more blocks are listed than " + most);
      }
    }
    return listed;
  }
}
