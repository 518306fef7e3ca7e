package dev.sluice.worker.engine;

import dev.sluice.common.cache.BlockHasher;
import java.util.Arrays;

/**
 * The hashes of a sequence's full blocks, in order. A hash is computed once, when its block's last
 * token is known.
 *
 * <p>Threading: confined to its owner.
 */
final class BlockHashes {
  private final String salt;
  private final int blockSize;
  private final BlockHasher hasher = new BlockHasher();
  private long[] words; // [2 * blocks]: high, low, high, low, ...
  private int count;

  /**
   * @param salt only sequences with the same one share blocks
   */
  BlockHashes(String salt, int blockSize) {
    this.salt = salt;
    this.blockSize = blockSize;
    this.words = new long[16];
    hasher.begin(salt);
  }

  private BlockHashes(BlockHashes other) {
    salt = other.salt;
    blockSize = other.blockSize;
    words = other.words.clone();
    count = other.count;
    hasher.resume(other.hasher.high(), other.hasher.low());
  }

  /** Hashes for a sequence that begins with the same tokens. */
  BlockHashes fork() {
    return new BlockHashes(this);
  }

  /** Takes notice of the first {@code length} tokens. */
  void extend(int[] tokens, int length) {
    for (; (count + 1) * blockSize <= length; count++) {
      hasher.next(tokens, count * blockSize, blockSize);
      if (2 * count == words.length) {
        words = Arrays.copyOf(words, 2 * words.length);
      }
      words[2 * count] = hasher.high();
      words[2 * count + 1] = hasher.low();
    }
  }

  String salt() {
    return salt;
  }

  long high(int block) {
    return words[2 * block];
  }

  long low(int block) {
    return words[2 * block + 1];
  }
}
