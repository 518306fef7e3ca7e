package dev.sluice.worker.simulation;

/**
 * Counts durations in buckets that are at most 1/64 wide of their value, so that tens of millions
 * take a few kilobytes.
 *
 * <pre>
 *   value   0 .. 127        each its own bucket
 *           128 .. 255      64 buckets of 2
 *           256 .. 511      64 buckets of 4, and so on
 * </pre>
 *
 * <p>Threading: confined to its owner.
 */
public final class Histogram {
  private static final int BITS = 6;
  private static final int PART = 1 << BITS;

  private final long[] counts = new long[(Long.SIZE - BITS) * PART + PART];
  private long count;
  private double sum;
  private long max;

  /** Adds a duration; below 0 counts as 0. */
  public void add(long nanos) {
    long value = Math.max(0, nanos);
    counts[bucket(value)]++;
    count++;
    sum += value;
    max = Math.max(max, value);
  }

  private static int bucket(long value) {
    int shift = Math.max(0, Long.SIZE - 1 - BITS - Long.numberOfLeadingZeros(value));
    return shift * PART + (int) (value >>> shift);
  }

  /** Largest value of a bucket. */
  private static long end(int bucket) {
    int shift = Math.max(0, bucket / PART - 1);
    long part = bucket - (long) shift * PART;
    return ((part + 1) << shift) - 1;
  }

  public long count() {
    return count;
  }

  public double mean() {
    return count == 0 ? 0 : sum / count;
  }

  public long max() {
    return max;
  }

  /**
   * A value that so many percent do not exceed; at most 1/64 above the least such.
   *
   * @param percent 0 to 100
   */
  public long percentile(double percent) {
    long rank = Math.max(1, (long) Math.ceil(percent / 100 * count));
    long seen = 0;
    for (int bucket = 0; bucket < counts.length; bucket++) {
      seen += counts[bucket];
      if (seen >= rank) {
        return Math.min(max, end(bucket));
      }
    }
    return 0;
  }
}
