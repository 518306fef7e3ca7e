package dev.sluice.router.index;

import dev.sluice.common.cache.BlockHasher;
import java.util.Arrays;

/**
 * The names of a prompt's full blocks, in order; equal to those that workers give.
 *
 * <p>Threading: immutable.
 */
public final class BlockHashes {
  public static final BlockHashes NONE = new BlockHashes(new long[0]);

  private final long[] words; // [2 * count]: high, low, high, low, ...

  private BlockHashes(long[] words) {
    this.words = words;
  }

  /**
   * Of all full blocks of the tokens.
   *
   * @param salt only prompts with the same one share blocks
   * @param known hashes of a prompt with the same salt and block size, whose first {@code equal}
   *     tokens are these: they are taken over
   */
  public static BlockHashes of(
      int[] tokens, int blockSize, String salt, BlockHashes known, int equal) {
    int count = tokens.length / blockSize;
    int reused = Math.min(count, Math.min(known.count(), equal / blockSize));
    long[] words = Arrays.copyOf(known.words, 2 * count);
    BlockHasher hasher = new BlockHasher();
    if (reused == 0) {
      hasher.begin(salt);
    } else {
      hasher.resume(known.high(reused - 1), known.low(reused - 1));
    }
    for (int block = reused; block < count; block++) {
      hasher.next(tokens, block * blockSize, blockSize);
      words[2 * block] = hasher.high();
      words[2 * block + 1] = hasher.low();
    }
    return new BlockHashes(words);
  }

  /** Of all full blocks of the tokens. */
  public static BlockHashes of(int[] tokens, int blockSize, String salt) {
    return of(tokens, blockSize, salt, NONE, 0);
  }

  /** Number of blocks. */
  public int count() {
    return words.length / 2;
  }

  public long high(int block) {
    return words[2 * block];
  }

  public long low(int block) {
    return words[2 * block + 1];
  }

  /** What the index knows a block by: half of its name is enough, see {@link BlockTable}. */
  long key(int block) {
    return BlockTable.key(words[2 * block]);
  }
}
