package dev.sluice.common.cache;

/**
 * Names the content of KV blocks by 128 bits. The name of a block covers its tokens, those of all
 * blocks before it, and the salt:
 *
 * <pre>
 *   h(-1) = H(0, code points of the salt)
 *   h(i)  = H(h(i-1), tokens of block i)
 * </pre>
 *
 * H is MurmurHash3 (x64, 128 bit, fixed seed) over the 16 bytes of the previous hash and 4 bytes
 * per token, little-endian. Routers and workers get the same names in any process. The names are no
 * proof: whoever shares content by them compares the content too.
 *
 * <p>Threading: confined to its owner. Allocates nothing but in {@link #begin}.
 */
public final class BlockHasher {
  private static final long SEED = 0x536C_7569L;
  private static final long C1 = 0x87C3_7B91_1142_53D5L;
  private static final long C2 = 0x4CF5_AD43_2745_937FL;

  private long high;
  private long low;

  /** Starts a chain: the hash is now that of no block yet. */
  public void begin(String salt) {
    int[] codePoints = salt.codePoints().toArray();
    high = 0;
    low = 0;
    next(codePoints, 0, codePoints.length);
  }

  /** Goes on with a chain whose latest hash this is. */
  public void resume(long latestHigh, long latestLow) {
    high = latestHigh;
    low = latestLow;
  }

  /** Appends a block: {@code count} tokens from an index on. */
  public void next(int[] tokens, int from, int count) {
    long h1 = SEED;
    long h2 = SEED;
    // the first 16 bytes: the hash before
    h1 = mixFirst(h1, h2, high);
    h2 = mixSecond(h1, h2, low);
    int end = from + count;
    int i = from;
    for (; i + 4 <= end; i += 4) {
      h1 = mixFirst(h1, h2, pair(tokens[i], tokens[i + 1]));
      h2 = mixSecond(h1, h2, pair(tokens[i + 2], tokens[i + 3]));
    }
    if (i + 3 == end) {
      h2 ^= scrambleSecond(pair(tokens[i + 2], 0));
    }
    if (i < end) {
      h1 ^= scrambleFirst(pair(tokens[i], i + 1 < end ? tokens[i + 1] : 0));
    }
    long bytes = 16 + 4L * count;
    h1 ^= bytes;
    h2 ^= bytes;
    h1 += h2;
    h2 += h1;
    h1 = finish(h1);
    h2 = finish(h2);
    h1 += h2;
    h2 += h1;
    high = h1;
    low = h2;
  }

  /** The first 64 bits of the latest hash. */
  public long high() {
    return high;
  }

  /** The last 64 bits of the latest hash. */
  public long low() {
    return low;
  }

  private static long pair(int first, int second) {
    return (first & 0xFFFF_FFFFL) | ((long) second << 32);
  }

  private static long mixFirst(long h1, long h2, long k1) {
    h1 ^= scrambleFirst(k1);
    return (Long.rotateLeft(h1, 27) + h2) * 5 + 0x52DC_E729;
  }

  private static long mixSecond(long h1, long h2, long k2) {
    h2 ^= scrambleSecond(k2);
    return (Long.rotateLeft(h2, 31) + h1) * 5 + 0x3849_5AB5;
  }

  private static long scrambleFirst(long k1) {
    return Long.rotateLeft(k1 * C1, 31) * C2;
  }

  private static long scrambleSecond(long k2) {
    return Long.rotateLeft(k2 * C2, 33) * C1;
  }

  private static long finish(long h) {
    h = (h ^ (h >>> 33)) * 0xFF51_AFD7_ED55_8CCDL;
    h = (h ^ (h >>> 33)) * 0xC4CE_B9FE_1A85_EC53L;
    return h ^ (h >>> 33);
  }
}
