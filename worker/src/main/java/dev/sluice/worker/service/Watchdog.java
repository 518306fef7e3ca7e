package dev.sluice.worker.service;

import dev.sluice.worker.engine.EngineSnapshot;
import dev.sluice.worker.engine.NanoClock;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices an engine that has requests but computes no step for longer than a limit, or has failed,
 * and when it goes on.
 *
 * <p>Threading: a thread of its own, {@code watchdog}, from {@link #start} on.
 */
final class Watchdog implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Watchdog.class);
  private static final int CHECKS_PER_LIMIT = 10;

  private final Supplier<EngineSnapshot> engine;
  private final Availability availability;
  private final long limitNanos;
  private final NanoClock clock;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("watchdog").daemon().factory());
  private long steps;
  private long progressNanos;

  /**
   * @param limit of one step
   */
  Watchdog(
      Supplier<EngineSnapshot> engine, Availability availability, Duration limit, NanoClock clock) {
    this.engine = engine;
    this.availability = availability;
    this.limitNanos = limit.toNanos();
    this.clock = clock;
    this.progressNanos = clock.nanos();
  }

  void start() {
    long period = Math.clamp(limitNanos / CHECKS_PER_LIMIT, 1_000_000, 1_000_000_000);
    ScheduledFuture<?> _ =
        thread.scheduleAtFixedRate(this::check, period, period, TimeUnit.NANOSECONDS);
  }

  /** Looks once. */
  void check() {
    EngineSnapshot now = engine.get();
    boolean idle = now.runningRequests() + now.waitingRequests() == 0;
    if (idle || now.steps() != steps) {
      steps = now.steps();
      progressNanos = clock.nanos();
    }
    boolean stuck =
        now.state() == EngineSnapshot.State.FAILED || clock.nanos() - progressNanos > limitNanos;
    if (stuck != availability.isStuck()) {
      if (stuck) {
        log.error(
            "the engine ({}) has computed no step for {} ms (expected: one within {} ms)",
            now.state(),
            (clock.nanos() - progressNanos) / 1_000_000,
            limitNanos / 1_000_000);
      } else {
        log.info("the engine goes on");
      }
      availability.stuck(stuck);
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
