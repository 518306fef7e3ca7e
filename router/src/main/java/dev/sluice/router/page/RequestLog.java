package dev.sluice.router.page;

import dev.sluice.router.page.LatencyWindow.Quantiles;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;

/**
 * The requests that ended last, in a ring, and their latencies. Written where a request begins and
 * ends, never for a token.
 *
 * <p>Threading: thread-safe; the lock is held for a few assignments.
 */
public final class RequestLog {
  /** Seconds over which percentiles are taken: few requests still give a line. */
  private static final Duration WINDOW = Duration.ofSeconds(10);

  private static final int LATENCIES = 4096;

  private final int capacity;
  private final Clock clock;
  private final LongSupplier nanoClock;
  private final LatencyWindow timeToFirstToken = new LatencyWindow(LATENCIES);
  private final LatencyWindow interTokenLatency = new LatencyWindow(LATENCIES);
  private final ArrayDeque<RequestRecord> ring = new ArrayDeque<>(); // guarded by this
  private long ended; // guarded by this
  private long failed; // guarded by this

  /**
   * @param capacity requests that are remembered
   * @param clock the time of day
   * @param nanoClock monotonic time, nanoseconds
   */
  public RequestLog(int capacity, Clock clock, LongSupplier nanoClock) {
    this.capacity = capacity;
    this.clock = clock;
    this.nanoClock = nanoClock;
  }

  /** A request arrives. */
  public Trail begin(String method) {
    return new Trail(this, method, clock.millis(), nanoTime());
  }

  long nanoTime() {
    return nanoClock.getAsLong();
  }

  void firstToken(long nanos) {
    timeToFirstToken.record(nanoTime(), nanos);
  }

  /** A request has ended. */
  void add(LongFunction<RequestRecord> withNumber) {
    RequestRecord added;
    synchronized (this) {
      added = withNumber.apply(++ended);
      if (added.failed()) {
        failed++;
      }
      if (capacity > 0) {
        if (ring.size() == capacity) {
          ring.removeFirst();
        }
        ring.addLast(added);
      }
    }
    added.itlMeanNanos().ifPresent(nanos -> interTokenLatency.record(nanoTime(), nanos));
  }

  /** Those that are remembered and have a number above {@code number}, the newest last. */
  synchronized List<RequestRecord> after(long number) {
    List<RequestRecord> newer = new ArrayList<>();
    for (RequestRecord request : ring) {
      if (request.number() > number) {
        newer.add(request);
      }
    }
    return newer;
  }

  /** Number of requests that ended since the router started. */
  synchronized long ended() {
    return ended;
  }

  /** Of these, failed ones. */
  synchronized long failed() {
    return failed;
  }

  /** Of the requests whose first token came in the last seconds. */
  Optional<Quantiles> timeToFirstToken() {
    return timeToFirstToken.quantiles(nanoTime(), WINDOW.toNanos());
  }

  /** Of the means of the requests that ended in the last seconds. */
  Optional<Quantiles> interTokenLatency() {
    return interTokenLatency.quantiles(nanoTime(), WINDOW.toNanos());
  }
}
