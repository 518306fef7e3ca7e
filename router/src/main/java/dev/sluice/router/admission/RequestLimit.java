package dev.sluice.router.admission;

import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.internal.AtomicRateLimiter;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/**
 * Limits requests per time, by Resilience4j: so many permits per period, of which none is saved up.
 *
 * <p>Threading: any thread; a lock only when the number of routers changes.
 */
final class RequestLimit {
  private static final double NANOS_PER_MINUTE = 60e9;

  private final String tenant;
  private final double perMinute;
  private final long burstNanos;
  private final LongSupplier nanoClock;
  private volatile Share share;

  /** The limiter for one number of routers. */
  private record Share(int routers, AtomicRateLimiter limiter) {}

  RequestLimit(String tenant, double perMinute, long burstNanos, LongSupplier nanoClock) {
    this.tenant = tenant;
    this.perMinute = perMinute;
    this.burstNanos = burstNanos;
    this.nanoClock = nanoClock;
    share = share(1);
  }

  /**
   * Uses up one permit; if there is none, says how long until there is one, nanoseconds.
   *
   * @param routers that share the limit
   */
  OptionalLong tryAcquire(int routers) {
    Share current = share;
    if (current.routers != routers) {
      current = change(routers);
    }
    return current.limiter.acquirePermission()
        ? OptionalLong.empty()
        : OptionalLong.of(Math.max(1, current.limiter.getDetailedMetrics().getNanosToWait()));
  }

  private synchronized Share change(int routers) {
    if (share.routers != routers) {
      share = share(routers);
    }
    return share;
  }

  /** Periods of about the burst's length, with a whole number of permits: the rate is exact. */
  private Share share(int routers) {
    double perNano = perMinute / routers / NANOS_PER_MINUTE;
    int permits = (int) Math.clamp(Math.floor(perNano * burstNanos), 1, Integer.MAX_VALUE);
    RateLimiterConfig config =
        RateLimiterConfig.custom()
            .limitForPeriod(permits)
            .limitRefreshPeriod(Duration.ofNanos(Math.max(1, Math.round(permits / perNano))))
            .timeoutDuration(Duration.ZERO)
            .writableStackTraceEnabled(false)
            .build();
    return new Share(
        routers, new AtomicRateLimiter(tenant, config, () -> Long.valueOf(nanoClock.getAsLong())));
  }
}
