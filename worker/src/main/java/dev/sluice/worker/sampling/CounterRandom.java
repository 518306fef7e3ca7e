package dev.sluice.worker.sampling;

/**
 * Random numbers without state: the number of an output position is a pure function of seed, choice
 * and position, so that a request that is computed again, or goes on elsewhere, meets the same
 * ones.
 *
 * <p>The numbers of one choice are a SplitMix64 sequence (Steele, Lea, Flood: Fast splittable
 * pseudorandom number generators, 2014), entered at any position at once; its start is mixed from
 * seed and choice.
 */
public final class CounterRandom {
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;
  private static final long CHOICE_GAMMA = 0xD1342543DE82EF95L; // any odd number

  private CounterRandom() {}

  /** 64 random bits. */
  public static long bits(long seed, int choice, int position) {
    long start = mix(mix(seed) + (choice + 1L) * CHOICE_GAMMA);
    return mix(start + (position + 1L) * GOLDEN_GAMMA);
  }

  /** A number from 0 (inclusive) to 1 (exclusive), a multiple of 2^-53. */
  public static double uniform(long seed, int choice, int position) {
    return (bits(seed, choice, position) >>> 11) * 0x1p-53;
  }

  /** A bijection in which every bit of the argument changes about half the bits of the result. */
  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
