package dev.sluice.router.admission;

import java.util.OptionalLong;

/**
 * Limits tokens per time. What a request costs is known only once it is over, so it is let in while
 * the bucket is not empty, and whatever it costs is taken out, into debt if need be: until the debt
 * is paid nothing is let in.
 *
 * <p>Threading: any thread; a lock for a few instructions.
 */
final class TokenBucket {
  private static final double NANOS_PER_MINUTE = 60e9;

  private final double perMinute;
  private final double burstNanos;
  private double tokens; // guarded by this; negative: debt
  private double parts = 1; // guarded by this
  private long filledNanos; // guarded by this

  /** A full one. */
  TokenBucket(double perMinute, long burstNanos, long nowNanos) {
    this.perMinute = perMinute;
    this.burstNanos = burstNanos;
    tokens = capacity();
    filledNanos = nowNanos;
  }

  /**
   * Whether something may be let in now; if not, how long until it may, nanoseconds.
   *
   * @param routers that share the limit
   */
  synchronized OptionalLong waitNanos(int routers, long nowNanos) {
    fill(nowNanos);
    parts = routers;
    tokens = Math.min(tokens, capacity());
    return tokens > 0
        ? OptionalLong.empty()
        : OptionalLong.of(1 + (long) Math.ceil(-tokens / perNano()));
  }

  /** Takes tokens out, or puts back what was taken too many. */
  synchronized void spend(long spent, long nowNanos) {
    fill(nowNanos);
    tokens = Math.min(capacity(), tokens - spent);
  }

  /** What is in it; negative if it owes. */
  synchronized double tokens(long nowNanos) {
    fill(nowNanos);
    return tokens;
  }

  private void fill(long nowNanos) {
    tokens = Math.min(capacity(), tokens + (nowNanos - filledNanos) * perNano());
    filledNanos = nowNanos;
  }

  private double perNano() {
    return perMinute / parts / NANOS_PER_MINUTE;
  }

  private double capacity() {
    return Math.max(1, burstNanos * perNano());
  }
}
