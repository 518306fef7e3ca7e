package dev.sluice.router.policy;

/** Scatters numbers: SplitMix64's finalizer (Steele, Lea, Flood: Fast splittable PRNGs, 2014). */
final class Mix {
  private Mix() {}

  static long of(long value) {
    long z = value + 0x9e3779b97f4a7c15L;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }

  /** An index below {@code bound}. */
  static int index(long value, int bound) {
    return (int) Long.remainderUnsigned(of(value), bound);
  }
}
