package dev.sluice.router.page;

import java.util.Arrays;
import java.util.Optional;

/**
 * Latencies of the last seconds; of more than fit, the latest.
 *
 * <p>Threading: thread-safe. Recording allocates nothing.
 */
final class LatencyWindow {
  private static final double MEDIAN = 0.50;
  private static final double TAIL = 0.99;

  /**
   * The median, and what one in a hundred exceeds; both are among the values.
   *
   * @param p50Nanos nearest rank
   * @param p99Nanos nearest rank; of fewer than 100 values the largest
   */
  record Quantiles(long p50Nanos, long p99Nanos) {}

  private final long[] atNanos; // guarded by this; a ring
  private final long[] latencies; // guarded by this; beside it
  private int count; // guarded by this
  private int next; // guarded by this

  LatencyWindow(int capacity) {
    atNanos = new long[capacity];
    latencies = new long[capacity];
  }

  synchronized void record(long nowNanos, long latencyNanos) {
    atNanos[next] = nowNanos;
    latencies[next] = latencyNanos;
    next = (next + 1) % latencies.length;
    count = Math.min(count + 1, latencies.length);
  }

  /** Of those recorded within {@code windowNanos} before now; empty if there are none. */
  Optional<Quantiles> quantiles(long nowNanos, long windowNanos) {
    long[] recent = recent(nowNanos, windowNanos);
    if (recent.length == 0) {
      return Optional.empty();
    }
    Arrays.sort(recent);
    return Optional.of(new Quantiles(rank(recent, MEDIAN), rank(recent, TAIL)));
  }

  private synchronized long[] recent(long nowNanos, long windowNanos) {
    long[] recent = new long[count];
    int found = 0;
    for (int i = 0; i < count; i++) {
      if (nowNanos - atNanos[i] <= windowNanos) {
        recent[found++] = latencies[i];
      }
    }
    return Arrays.copyOf(recent, found);
  }

  private static long rank(long[] sorted, double quantile) {
    return sorted[Math.max(0, (int) Math.ceil(quantile * sorted.length) - 1)];
  }
}
