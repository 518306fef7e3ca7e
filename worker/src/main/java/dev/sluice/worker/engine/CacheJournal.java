package dev.sluice.worker.engine;

import java.lang.invoke.VarHandle;
import java.util.OptionalLong;

/**
 * The latest changes to the set of cached blocks, for readers on other threads. It is bounded: a
 * reader that is too late is told so, and begins anew with a copy of the whole set.
 *
 * <pre>
 *   position   0   1   2   3   4   5        capacity 4
 *                      [----------)
 *                      kept       written
 * </pre>
 *
 * <p>Threading: written by the engine thread, which never waits; read by any thread.
 */
public final class CacheJournal {
  /** Of changes; a power of two. A message with all of them stays far below 1 MiB. */
  public static final int CAPACITY = 1 << 14;

  private static final int WORDS = 3;

  private final long[] ring = new long[WORDS * CAPACITY]; // high, low, whether stored
  private long next;
  private volatile long begun; // changes that may be in the ring, half written
  private volatile long written; // changes that are completely in the ring

  void stored(long high, long low) {
    write(high, low, 1);
  }

  void removed(long high, long low) {
    write(high, low, 0);
  }

  private void write(long high, long low, long stored) {
    begun = next + 1;
    VarHandle.storeStoreFence(); // a reader that sees what follows sees that it begun
    int at = WORDS * (int) (next & (CAPACITY - 1));
    ring[at] = high;
    ring[at + 1] = low;
    ring[at + 2] = stored;
    written = ++next;
  }

  /** The position behind the latest change. */
  long position() {
    return written;
  }

  /**
   * Reads all changes from a position on, oldest first.
   *
   * @return the position behind the last one; empty if some are lost, and then what the reader was
   *     told may be wrong
   */
  public OptionalLong read(long from, Reader reader) {
    long to = written;
    for (long position = from; position < to; position++) {
      int at = WORDS * (int) (position & (CAPACITY - 1));
      long high = ring[at];
      long low = ring[at + 1];
      boolean stored = ring[at + 2] != 0;
      VarHandle.loadLoadFence();
      if (begun - position > CAPACITY) {
        return OptionalLong.empty();
      }
      reader.onChange(high, low, stored);
    }
    return OptionalLong.of(to);
  }

  /** Hears of a change: a block with this hash was stored, or removed. */
  @FunctionalInterface
  public interface Reader {
    void onChange(long high, long low, boolean stored);
  }
}
