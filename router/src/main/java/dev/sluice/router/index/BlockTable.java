package dev.sluice.router.index;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A hash table from blocks to the workers that have them cached, in two arrays: 12 bytes per place,
 * and 16 to 48 per block.
 *
 * <pre>
 *   place   key        set            a key stays where it was put, until the table is copied
 *     0     8f03..     {w1, w7}
 *     1     0          -              never used: a search ends here
 *     2     51aa..     -              dead: a search goes on, and another key may take the place
 *     3     90be..     {w7}
 * </pre>
 *
 * Blocks are known by 64 of the 128 bits of their names: of 4 million blocks two are the same with
 * probability 0.0000004, and then a prompt goes where it could have done better.
 *
 * <p>Threading: one writer; any thread reads without locks, and sees each block as it is before or
 * after a change.
 */
final class BlockTable {
  private static final VarHandle KEYS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle SETS = MethodHandles.arrayElementVarHandle(WorkerSet[].class);
  private static final long UNUSED = 0;
  private static final int LEAST = 64;

  /** Both arrays as long as each other: a power of two, with an unused key among them. */
  private static final class Places {
    final long[] keys;
    final @Nullable WorkerSet[] sets;

    Places(int capacity) {
      keys = new long[capacity];
      sets = new WorkerSet[capacity];
    }

    /** Where a search for the key begins: the names are random numbers. */
    int home(long key) {
      return (int) key & (keys.length - 1);
    }

    int after(int place) {
      return (place + 1) & (keys.length - 1);
    }
  }

  private volatile Places places = new Places(LEAST);
  private int used; // places whose key is not UNUSED; the writer's
  private int live; // blocks; the writer's

  /** What a block is known by, from the first half of its name. */
  static long key(long high) {
    return high == UNUSED ? 1 : high;
  }

  /** The workers that have the block. */
  WorkerSet get(long key) {
    Places now = places;
    for (int place = now.home(key); ; place = now.after(place)) {
      long found = (long) KEYS.getAcquire(now.keys, place);
      if (found == key) {
        WorkerSet set = (WorkerSet) SETS.getAcquire(now.sets, place);
        // If the place was given to another key meanwhile, the block was removed.
        boolean still = (long) KEYS.getAcquire(now.keys, place) == key;
        return set == null || !still ? WorkerSet.NONE : set;
      }
      if (found == UNUSED) {
        return WorkerSet.NONE;
      }
    }
  }

  /** Writer: replaces the workers of a block. */
  void put(long key, WorkerSet set) {
    Places now = places;
    int dead = -1;
    int place = now.home(key);
    while (now.keys[place] != key && now.keys[place] != UNUSED) {
      if (dead < 0 && now.sets[place] == null) {
        dead = place;
      }
      place = now.after(place);
    }
    boolean had = now.keys[place] == key && now.sets[place] != null;
    if (set.isEmpty()) {
      if (had) {
        SETS.setRelease(now.sets, place, null);
        live--;
      }
      return;
    }
    if (now.keys[place] == UNUSED) {
      if (dead >= 0) {
        place = dead;
      } else {
        used++;
      }
      KEYS.setRelease(now.keys, place, key); // before the set, see get
    }
    SETS.setRelease(now.sets, place, set);
    live += had ? 0 : 1;
    if (4L * used > 3L * now.keys.length) {
      rebuild();
    }
  }

  /** Writer: the number of blocks. */
  int live() {
    return live;
  }

  /** Memory of the arrays, with 4 bytes per reference. */
  long bytes() {
    return 12L * places.keys.length;
  }

  /**
   * Writer: changes the sets of all blocks.
   *
   * @return how many blocks are left with no worker
   */
  int replaceAll(UnaryOperator<WorkerSet> change) {
    Places now = places;
    int before = live;
    for (int place = 0; place < now.keys.length; place++) {
      WorkerSet set = now.sets[place];
      if (set != null) {
        WorkerSet changed = change.apply(set);
        if (!changed.equals(set)) {
          SETS.setRelease(now.sets, place, changed.isEmpty() ? null : changed);
          live -= changed.isEmpty() ? 1 : 0;
        }
      }
    }
    if (16L * live < now.keys.length && now.keys.length > LEAST) {
      rebuild(); // most of it was given up: so is the memory
    }
    return before - live;
  }

  /** Copies what is live into new arrays, at most half full. */
  private void rebuild() {
    Places old = places;
    int capacity = LEAST;
    while (2L * (live + 1) > capacity) {
      capacity *= 2;
    }
    Places fresh = new Places(capacity);
    for (int from = 0; from < old.keys.length; from++) {
      if (old.sets[from] != null) {
        int to = fresh.home(old.keys[from]);
        while (fresh.keys[to] != UNUSED) {
          to = fresh.after(to);
        }
        fresh.keys[to] = old.keys[from];
        fresh.sets[to] = old.sets[from];
      }
    }
    used = live;
    places = fresh;
  }
}
