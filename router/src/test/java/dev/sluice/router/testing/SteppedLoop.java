package dev.sluice.router.testing;

import dev.sluice.router.fleet.FleetLoop;
import dev.sluice.router.fleet.Subscription;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * A fleet loop with a thread of its own, whose time passes only when a test says so.
 *
 * <p>Threading: thread-safe.
 */
public final class SteppedLoop implements FleetLoop {
  private static final long LIMIT_MILLIS = 20_000;

  private record Timer(long atNanos, Runnable task) {}

  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("stepped").factory());
  private final List<Timer> timers = new ArrayList<>(); // guarded by this
  private volatile long now = 1_000_000_000;

  @Override
  public void execute(Runnable task) {
    try {
      thread.execute(task);
    } catch (RejectedExecutionException e) {
      // closed: what comes late is dropped
    }
  }

  @Override
  public synchronized Subscription schedule(Duration delay, Runnable task) {
    Timer timer = new Timer(now + delay.toNanos(), task);
    if (!delay.isPositive()) {
      execute(task);
      return () -> {};
    }
    timers.add(timer);
    notifyAll();
    return () -> {
      synchronized (this) {
        timers.remove(timer);
      }
    };
  }

  @Override
  public long nanoTime() {
    return now;
  }

  /** Lets time pass; returns once all that fell due has run. */
  public void advance(Duration time) {
    synchronized (this) {
      now += time.toNanos();
      List<Timer> due = new ArrayList<>(timers.stream().filter(t -> t.atNanos() <= now).toList());
      due.sort(Comparator.comparingLong(Timer::atNanos));
      timers.removeAll(due);
      due.forEach(timer -> execute(timer.task()));
    }
    settle();
  }

  /** Whether somebody waits for exactly so long from now on. */
  public synchronized boolean isTimerSet(Duration delay) {
    return timers.stream().anyMatch(timer -> timer.atNanos() == now + delay.toNanos());
  }

  /** Returns once somebody waits for exactly so long. */
  public synchronized void awaitTimer(Duration delay) {
    long limit = System.nanoTime() + LIMIT_MILLIS * 1_000_000;
    while (!isTimerSet(delay)) {
      if (System.nanoTime() - limit > 0) {
        throw new AssertionError("nobody waits for " + delay);
      }
      try {
        wait(LIMIT_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new AssertionError("interrupted", e);
      }
    }
  }

  /** Returns once all that was sent to the thread so far has run. */
  public void settle() {
    CountDownLatch done = new CountDownLatch(1);
    execute(done::countDown);
    try {
      if (!done.await(20, TimeUnit.SECONDS)) {
        throw new AssertionError("the loop hangs");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  @Override
  public void close() {
    thread.shutdown();
  }
}
