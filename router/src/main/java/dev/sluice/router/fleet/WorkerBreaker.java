package dev.sluice.router.fleet;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The circuit breaker of one worker: open after failures, half-open for a few calls that probe it.
 * It is fed with failures and first messages only: a client's error, slowness and a full queue are
 * neither.
 *
 * <p>Threading: any thread.
 */
public final class WorkerBreaker {
  private static final Duration NEVER_SLOW = Duration.ofDays(1);

  private final CircuitBreaker breaker;
  private final LongSupplier nanoClock;
  private final long openNanos;
  private volatile long openedNanos;

  /**
   * @param nanoClock monotonic time, nanoseconds
   */
  public WorkerBreaker(String name, BreakerOptions options, LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
    this.openNanos = options.openTime().toNanos();
    InstantSource time = () -> Instant.ofEpochSecond(0, nanoClock.getAsLong());
    Clock clock = time.withZone(ZoneOffset.UTC);
    breaker =
        CircuitBreaker.of(
            name,
            CircuitBreakerConfig.custom()
                .clock(clock)
                .slidingWindowType(CircuitBreakerConfig.SlidingWindowType.COUNT_BASED)
                .slidingWindowSize(options.window())
                .minimumNumberOfCalls(options.minCalls())
                .failureRateThreshold(options.failurePercent())
                .slowCallDurationThreshold(NEVER_SLOW)
                .waitDurationInOpenState(options.openTime())
                .permittedNumberOfCallsInHalfOpenState(options.probes())
                .writableStackTraceEnabled(false)
                .build());
    breaker
        .getEventPublisher()
        .onStateTransition(event -> {
          if (event.getStateTransition().getToState() == State.OPEN) {
            openedNanos = nanoClock.getAsLong();
          }
        });
  }

  /** Whether calls go there: closed, or due to be probed. */
  public boolean admits() {
    return breaker.getState() != State.OPEN || nanoClock.getAsLong() - openedNanos > openNanos;
  }

  /** Whether it is closed: nothing is known against the worker. */
  public boolean closed() {
    return breaker.getState() == State.CLOSED;
  }

  /** Takes a call; false if it is open, or half-open and all probes are out. */
  public boolean tryEnter(Pass pass) {
    if (!breaker.tryAcquirePermission()) {
      return false;
    }
    pass.probe = breaker.getState() == State.HALF_OPEN;
    return true;
  }

  /** A pass for one call; it may be used without {@link #tryEnter}, past the breaker. */
  public Pass pass() {
    return new Pass();
  }

  /** Forgets everything: the worker is another one. */
  void reset() {
    breaker.reset();
  }

  /** One call's word to the breaker. Threading: one thread at a time. */
  public final class Pass {
    private boolean probe;
    private boolean told;

    private Pass() {}

    /** The worker sent something. */
    public void answered() {
      if (!told) {
        told = true;
        breaker.onSuccess(0, TimeUnit.NANOSECONDS);
      }
    }

    /** The worker failed, perhaps after it had answered. */
    public void failed() {
      told = true;
      breaker.onError(0, TimeUnit.NANOSECONDS, new Failed());
    }

    /** The call is over; if it has shown nothing, another one may probe in its place. */
    public void over() {
      if (!told && probe && breaker.getState() == State.HALF_OPEN) {
        breaker.releasePermission();
      }
      told = true;
    }
  }

  /** Resilience4j wants a throwable; this one costs little. */
  private static final class Failed extends RuntimeException {
    private static final long serialVersionUID = 1;

    Failed() {
      super("the worker failed", null, false, false);
    }
  }
}
