package dev.sluice.router.index;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;

/**
 * The cached blocks of one worker, as its Watch stream tells them: all of them in chunks, then what
 * changes. Until all of them are told it counts as having none.
 *
 * <p>Threading: the fleet loop writes; any thread reads the slot.
 */
public final class WorkerBlocks {
  static final int NO_SLOT = -1;

  private static final int HASH_BYTES = 2 * Long.BYTES;

  private final PrefixIndex index;
  private int taken = NO_SLOT;
  private boolean stored; // anything, since the slot was taken
  private volatile int slot = NO_SLOT;

  WorkerBlocks(PrefixIndex index) {
    this.index = index;
  }

  /** Its number in the sets of the index; {@link #NO_SLOT} while it counts as having nothing. */
  int slot() {
    return slot;
  }

  /** What is known is no longer true; everything will be told anew. */
  public void begin() {
    close();
    taken = index.takeSlot();
    stored = false;
  }

  /** Everything is told. */
  public void complete() {
    slot = taken;
  }

  /**
   * These are cached.
   *
   * @param hashes 16 bytes each, high half first, big-endian
   */
  public void store(ByteString hashes) {
    ByteBuffer bytes = bytes(hashes);
    while (bytes.hasRemaining()) {
      index.store(bytes.getLong(), taken);
      bytes.getLong(); // the index knows a block by the first half of its name
      stored = true;
    }
  }

  /** These are no longer cached. */
  public void remove(ByteString hashes) {
    ByteBuffer bytes = bytes(hashes);
    while (bytes.hasRemaining()) {
      index.remove(bytes.getLong(), taken);
      bytes.getLong();
    }
  }

  /** Nothing is cached any more. */
  public void clear() {
    begin();
    complete();
  }

  /** The worker is gone. */
  public void close() {
    slot = NO_SLOT;
    if (taken >= 0) {
      index.freeSlot(taken, stored);
      taken = NO_SLOT;
    }
  }

  /** Whether a message of hashes is made of whole ones. */
  public static boolean wellFormed(ByteString hashes) {
    return hashes.size() % HASH_BYTES == 0;
  }

  private ByteBuffer bytes(ByteString hashes) {
    if (taken < 0) {
      throw new IllegalStateException("blocks before begin()");
    }
    return hashes.asReadOnlyByteBuffer();
  }
}
