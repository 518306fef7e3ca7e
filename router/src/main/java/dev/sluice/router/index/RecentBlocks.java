package dev.sluice.router.index;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Blocks of prompts that were dispatched a moment ago: the worker will have them, but has not said
 * so yet. Fixed in size: what is new displaces what is old.
 *
 * <pre>
 *   entry   word 0                word 1             word 2
 *           key ^ word 1 ^ word 2   worker | worker   worker | worker     32 bits each:
 *                                                                         tick 16, slot + 1 16
 * </pre>
 *
 * <p>Threading: any thread, without locks. An entry that two threads write at once does not fit its
 * check word and counts as empty (Hyatt, Mann: A lockless transposition table, 2002).
 */
final class RecentBlocks {
  static final int MOST_SLOTS = 0xFFFE;

  private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final int ENTRIES = 1 << 16;
  private static final int STRIDE = 3;
  private static final int TICK_BITS = 27; // 134 ms
  private static final int TICKS = 0xFFFF;
  private static final int WAYS = 4;

  private final long[] words = new long[STRIDE * ENTRIES];
  private final int lifeTicks;
  private volatile long latestNanos;
  private volatile boolean written;

  RecentBlocks(long lifeNanos) {
    lifeTicks = (int) Math.min(TICKS / 2, lifeNanos >> TICK_BITS);
  }

  long bytes() {
    return 8L * words.length;
  }

  /** All blocks of a prompt go to a worker. */
  void dispatched(BlockHashes prompt, int slot, long nowNanos) {
    int tick = tick(nowNanos);
    for (int block = 0; block < prompt.count(); block++) {
      long key = prompt.key(block);
      int at = entry(key);
      long first = read(at + 1);
      long second = read(at + 2);
      if ((read(at) ^ first ^ second) != key) {
        first = 0;
        second = 0;
      }
      int way = wayFor(first, second, slot, tick);
      long value = ((long) tick << 16) | (slot + 1);
      if (way < 2) {
        first = set(first, way, value);
      } else {
        second = set(second, way - 2, value);
      }
      WORDS.setOpaque(words, at, key ^ first ^ second);
      WORDS.setOpaque(words, at + 1, first);
      WORDS.setOpaque(words, at + 2, second);
    }
    latestNanos = nowNanos;
    written = true;
  }

  /**
   * Adds what is on its way to what is there.
   *
   * @param depths by slot: how many of the prompt's first blocks a worker has; may grow
   * @param wanted by slot: whether it is of interest
   */
  void extend(BlockHashes prompt, int[] depths, long[] wanted, long nowNanos) {
    if (!written || nowNanos - latestNanos > ((long) lifeTicks + 1) << TICK_BITS) {
      return;
    }
    int tick = tick(nowNanos);
    int deepest = 0;
    for (int depth : depths) {
      deepest = Math.max(deepest, depth);
    }
    for (int block = 0; block < prompt.count() && block <= deepest; block++) {
      long key = prompt.key(block);
      int at = entry(key);
      long first = read(at + 1);
      long second = read(at + 2);
      if ((read(at) ^ first ^ second) != key) {
        continue;
      }
      for (int way = 0; way < WAYS; way++) {
        int value = (int) ((way < 2 ? first : second) >>> (32 * (way & 1)));
        int slot = (value & 0xFFFF) - 1;
        if (slot >= 0
            && slot < depths.length
            && depths[slot] == block
            && (wanted[slot >> 6] & (1L << slot)) != 0
            && age(value, tick) <= lifeTicks) {
          depths[slot] = block + 1;
          deepest = Math.max(deepest, block + 1);
        }
      }
    }
  }

  /** That of the same worker, else an empty one, else the oldest. */
  private static int wayFor(long first, long second, int slot, int tick) {
    int best = 0;
    int bestAge = -1;
    for (int way = 0; way < WAYS; way++) {
      int value = (int) ((way < 2 ? first : second) >>> (32 * (way & 1)));
      if ((value & 0xFFFF) == slot + 1) {
        return way;
      }
      int age = value == 0 ? Integer.MAX_VALUE : age(value, tick);
      if (age > bestAge) {
        best = way;
        bestAge = age;
      }
    }
    return best;
  }

  private static long set(long word, int half, long value) {
    return half == 0
        ? (word & 0xFFFF_FFFF_0000_0000L) | value
        : (word & 0xFFFF_FFFFL) | (value << 32);
  }

  private static int age(int value, int tick) {
    return (tick - (value >>> 16)) & TICKS;
  }

  private static int tick(long nanos) {
    return (int) (nanos >> TICK_BITS) & TICKS;
  }

  private static int entry(long key) {
    return STRIDE * ((int) (key >>> 32) & (ENTRIES - 1));
  }

  private long read(int at) {
    return (long) WORDS.getOpaque(words, at);
  }
}
