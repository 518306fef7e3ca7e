package dev.sluice.router.index;

import java.util.BitSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Which worker has how much of a prompt cached. It says what the workers say, block by block, and
 * for a few seconds also what was just dispatched. A full index takes no new blocks until others
 * are removed: what it says stays true, and the rest counts as not cached.
 *
 * <p>Threading: one writer, the fleet loop, through {@link WorkerBlocks}; any thread reads, without
 * locks, and may announce what it dispatches.
 */
public final class PrefixIndex {
  /** Tables grow and are copied one at a time, so that the writer is never busy for long. */
  private static final int TABLES = 64;

  private static final int SPARE_SLOTS = 64;

  private final int maxBlocks;
  private final RecentBlocks recent;
  private final BlockTable[] tables = new BlockTable[TABLES];
  private final WorkerSets sets = new WorkerSets();
  private final BitSet slots = new BitSet();
  private int nextSlot;
  private volatile int slotLimit; // slots in use are below it
  private final AtomicInteger blocks = new AtomicInteger();
  private final AtomicLong dropped = new AtomicLong();

  public PrefixIndex(IndexOptions options) {
    maxBlocks = options.maxBlocks();
    recent = new RecentBlocks(options.recentTime().toNanos());
    for (int i = 0; i < TABLES; i++) {
      tables[i] = new BlockTable();
    }
  }

  /** Room for the blocks of one more worker. */
  public WorkerBlocks join() {
    return new WorkerBlocks(this);
  }

  /** Different blocks in the index. */
  public int blocks() {
    return blocks.get();
  }

  /** Blocks that were told and not taken, since the index was full. */
  public long dropped() {
    return dropped.get();
  }

  /** Writer: memory of tables and recent blocks, bytes. */
  public long bytes() {
    long bytes = recent.bytes();
    for (BlockTable table : tables) {
      bytes += table.bytes();
    }
    return bytes;
  }

  /**
   * How many of a prompt's first blocks each worker has, or will have in a moment.
   *
   * @param workers of which one is to be chosen
   * @param depths [workers]: the answer
   */
  public void overlaps(BlockHashes prompt, WorkerBlocks[] workers, int[] depths, long nowNanos) {
    int limit = slotLimit;
    int[] slotOf = new int[workers.length];
    long[] wanted = new long[(limit + 63) >> 6];
    for (int i = 0; i < workers.length; i++) {
      int slot = workers[i].slot();
      // A slot that is newer than the limit just read has nothing in it yet.
      slotOf[i] = slot < limit ? slot : WorkerBlocks.NO_SLOT;
      if (slotOf[i] >= 0) {
        wanted[slot >> 6] |= 1L << slot;
      }
    }
    int[] bySlot = new int[limit];
    walk(prompt, wanted.clone(), bySlot);
    recent.extend(prompt, bySlot, wanted, nowNanos);
    for (int i = 0; i < workers.length; i++) {
      depths[i] = slotOf[i] < 0 ? 0 : bySlot[slotOf[i]];
    }
  }

  /** A prompt goes to a worker; its blocks count as cached there for a while. Any thread. */
  public void dispatched(BlockHashes prompt, WorkerBlocks worker, long nowNanos) {
    int slot = worker.slot();
    if (slot >= 0) {
      recent.dispatched(prompt, slot, nowNanos);
    }
  }

  /**
   * Follows the prompt block by block, until no worker has the next one.
   *
   * @param active those that have all blocks so far; is used up
   */
  private void walk(BlockHashes prompt, long[] active, int[] depths) {
    WorkerSet before = WorkerSet.NONE;
    int count = prompt.count();
    for (int block = 0; block < count; block++) {
      long key = prompt.key(block);
      WorkerSet set = table(key).get(key);
      if (block > 0 && set.equals(before)) {
        continue; // as many as before
      }
      before = set;
      long left = 0;
      for (int w = 0; w < active.length; w++) {
        long leaving = active[w] & ~set.word(w);
        active[w] &= set.word(w);
        left |= active[w];
        for (; leaving != 0; leaving &= leaving - 1) {
          depths[(w << 6) + Long.numberOfTrailingZeros(leaving)] = block;
        }
      }
      if (left == 0) {
        return;
      }
    }
    for (int w = 0; w < active.length; w++) {
      for (long rest = active[w]; rest != 0; rest &= rest - 1) {
        depths[(w << 6) + Long.numberOfTrailingZeros(rest)] = count;
      }
    }
  }

  private BlockTable table(long key) {
    return tables[(int) (key >>> 58) & (TABLES - 1)];
  }

  /** Writer: a number for a worker that has nothing yet. */
  int takeSlot() {
    int slot = slots.nextClearBit(nextSlot);
    if (slot > 2 * slots.cardinality() + SPARE_SLOTS) {
      slot = slots.nextClearBit(0);
    }
    if (slot > RecentBlocks.MOST_SLOTS) {
      throw new IllegalStateException(
          "worker slots: " + slot + " in use (expected: at most " + RecentBlocks.MOST_SLOTS + ")");
    }
    nextSlot = slot + 1; // so that what was dispatched to a slot's last owner is forgotten first
    slots.set(slot);
    slotLimit = slots.length();
    return slot;
  }

  /** Writer: forgets all that a worker has, and its number. */
  void freeSlot(int slot, boolean hasBlocks) {
    if (hasBlocks) {
      int removed = 0;
      for (BlockTable table : tables) {
        removed += table.replaceAll(set -> set.contains(slot) ? sets.without(set, slot) : set);
      }
      blocks.addAndGet(-removed);
    }
    slots.clear(slot);
    slotLimit = slots.length();
  }

  /** Writer: a worker has a block. */
  void store(long high, int slot) {
    long key = BlockTable.key(high);
    BlockTable table = table(key);
    WorkerSet old = table.get(key);
    if (old.isEmpty()) {
      if (blocks.get() >= maxBlocks) {
        dropped.incrementAndGet();
        return;
      }
      blocks.incrementAndGet();
    }
    table.put(key, sets.with(old, slot));
  }

  /** Writer: a worker no longer has a block. */
  void remove(long high, int slot) {
    long key = BlockTable.key(high);
    BlockTable table = table(key);
    WorkerSet old = table.get(key);
    if (old.contains(slot)) {
      WorkerSet left = sets.without(old, slot);
      table.put(key, left);
      blocks.addAndGet(left.isEmpty() ? -1 : 0);
    }
  }
}
