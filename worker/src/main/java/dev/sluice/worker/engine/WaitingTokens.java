package dev.sluice.worker.engine;

import dev.sluice.common.list.IntrusiveList;

/**
 * Counts the tokens that are to be computed for the requests that wait. A block that several of
 * them begin with counts once, and not at all if it is in the cache or a request that runs computes
 * it.
 *
 * <p>The blocks are found by their hashes alone, in an open hash table: a collision would cost a
 * block in a count that is a prediction anyway.
 *
 * <p>Threading: engine thread. Takes time in proportion to a request's blocks; allocates only when
 * more blocks are waited for than ever before.
 */
final class WaitingTokens {
  private static final int INITIAL_CAPACITY = 64; // a power of two

  private final int blockSize;
  private long[] keys = new long[2 * INITIAL_CAPACITY]; // high, low
  private int[] users = new int[INITIAL_CAPACITY]; // requests that wait for the block; 0: none
  private boolean[] provided = new boolean[INITIAL_CAPACITY]; // cached, or being computed
  private int size;
  private long tokens;

  WaitingTokens(int blockSize) {
    this.blockSize = blockSize;
  }

  /** Tokens to be computed. */
  long tokens() {
    return tokens;
  }

  /**
   * A request waits.
   *
   * @param found blocks that it begins with which are in the cache, or being computed
   */
  void add(Request request, int found) {
    BlockHashes hashes = request.sequence(0).hashes();
    int blocks = blocks(request);
    tokens += request.length() - (long) blocks * blockSize;
    for (int i = 0; i < blocks; i++) {
      if (2 * (size + 1) > users.length) {
        grow();
      }
      int slot = slot(hashes.high(i), hashes.low(i));
      if (users[slot]++ == 0) {
        keys[2 * slot] = hashes.high(i);
        keys[2 * slot + 1] = hashes.low(i);
        provided[slot] = false;
        size++;
        tokens += blockSize;
      }
      provide(slot, i < found);
    }
  }

  /** A request that waits has more tokens to compute, or fewer. */
  void adjust(int difference) {
    tokens += difference;
  }

  /** A request that waited runs: it computes its blocks for all. */
  void start(Request request) {
    BlockHashes hashes = request.sequence(0).hashes();
    for (int i = 0; i < blocks(request); i++) {
      provide(known(hashes, i), true);
    }
    remove(request);
  }

  /** A request that waited does so no more. */
  void remove(Request request) {
    BlockHashes hashes = request.sequence(0).hashes();
    int blocks = blocks(request);
    tokens -= request.length() - (long) blocks * blockSize;
    for (int i = 0; i < blocks; i++) {
      int slot = known(hashes, i);
      if (users[slot] == 1) {
        tokens -= provided[slot] ? 0 : blockSize;
        delete(slot);
      } else {
        users[slot]--;
      }
    }
  }

  /**
   * A request that ran does so no more.
   *
   * @param found blocks that it begins with which are in the cache yet, or being computed
   */
  void lost(Request request, int found) {
    BlockHashes hashes = request.sequence(0).hashes();
    for (int i = found; i < blocks(request); i++) {
      int slot = slot(hashes.high(i), hashes.low(i));
      if (users[slot] > 0) {
        provide(slot, false);
      }
    }
  }

  /** Blocks of the prompt that others can use; the rest of a request is its own. */
  private int blocks(Request request) {
    return (request.promptLength() - 1) / blockSize;
  }

  private void provide(int slot, boolean now) {
    if (provided[slot] != now) {
      provided[slot] = now;
      tokens += now ? -blockSize : blockSize;
    }
  }

  private int known(BlockHashes hashes, int block) {
    int slot = slot(hashes.high(block), hashes.low(block));
    if (users[slot] == 0) {
      throw new IllegalStateException("nobody waits for block " + block);
    }
    return slot;
  }

  /** Where a block is, or would be. */
  private int slot(long high, long low) {
    int slot = home(low);
    while (users[slot] != 0 && (keys[2 * slot] != high || keys[2 * slot + 1] != low)) {
      slot = (slot + 1) & (users.length - 1);
    }
    return slot;
  }

  private int home(long low) {
    return (int) low & (users.length - 1);
  }

  /** Empties a slot; those behind it that were put off by it move up. */
  private void delete(int slot) {
    int mask = users.length - 1;
    int gap = slot;
    for (int next = (gap + 1) & mask; users[next] != 0; next = (next + 1) & mask) {
      int home = home(keys[2 * next + 1]);
      if (((next - home) & mask) >= ((next - gap) & mask)) {
        keys[2 * gap] = keys[2 * next];
        keys[2 * gap + 1] = keys[2 * next + 1];
        users[gap] = users[next];
        provided[gap] = provided[next];
        gap = next;
      }
    }
    users[gap] = 0;
    size--;
  }

  private void grow() {
    long[] oldKeys = keys;
    int[] oldUsers = users;
    boolean[] oldProvided = provided;
    keys = new long[2 * oldKeys.length];
    users = new int[2 * oldUsers.length];
    provided = new boolean[2 * oldUsers.length];
    for (int i = 0; i < oldUsers.length; i++) {
      if (oldUsers[i] != 0) {
        int slot = slot(oldKeys[2 * i], oldKeys[2 * i + 1]);
        keys[2 * slot] = oldKeys[2 * i];
        keys[2 * slot + 1] = oldKeys[2 * i + 1];
        users[slot] = oldUsers[i];
        provided[slot] = oldProvided[i];
      }
    }
  }

  /**
   * Audits the count against the requests that wait.
   *
   * @throws IllegalStateException naming what does not hold
   */
  void checkIntegrity(IntrusiveList<Request> waiting) {
    long expectedUses = 0;
    long expected = 0;
    for (Request r = waiting.first(); r != null; r = r.next()) {
      BlockHashes hashes = r.sequence(0).hashes();
      expectedUses += blocks(r);
      expected += r.length() - (long) blocks(r) * blockSize;
      for (int i = 0; i < blocks(r); i++) {
        known(hashes, i);
      }
    }
    long uses = 0;
    for (int slot = 0; slot < users.length; slot++) {
      uses += users[slot];
      expected += users[slot] > 0 && !provided[slot] ? blockSize : 0;
    }
    if (uses != expectedUses || tokens != expected) {
      throw new IllegalStateException(
          "waiting: "
              + tokens
              + " tokens, "
              + uses
              + " uses of blocks (expected: "
              + expected
              + ", "
              + expectedUses
              + ")");
    }
  }
}
