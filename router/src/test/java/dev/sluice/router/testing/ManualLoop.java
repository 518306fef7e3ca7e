package dev.sluice.router.testing;

import dev.sluice.router.fleet.FleetLoop;
import dev.sluice.router.fleet.Subscription;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * A fleet loop whose thread and time are the test's.
 *
 * <p>Threading: {@link #execute} from any thread, the rest from the test.
 */
public final class ManualLoop implements FleetLoop {
  private record Timer(long atNanos, Runnable task) {}

  private final LinkedBlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
  private final List<Timer> timers = new ArrayList<>();
  private long now;

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
  }

  @Override
  public Subscription schedule(Duration delay, Runnable task) {
    Timer timer = new Timer(now + delay.toNanos(), task);
    timers.add(timer);
    return () -> timers.remove(timer);
  }

  @Override
  public void close() {
    timers.clear();
  }

  @Override
  public long nanoTime() {
    return now;
  }

  /** Runs tasks, also those that others have yet to send, until the condition holds. */
  public void runUntil(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      try {
        Runnable task = tasks.poll(20, TimeUnit.SECONDS);
        if (task == null) {
          throw new AssertionError("nothing more came within 20 s");
        }
        task.run();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new AssertionError("interrupted", e);
      }
    }
  }

  /** Runs the tasks that were sent so far, and those that these send. */
  public void runPending() {
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      task.run();
    }
  }

  /** Lets time pass; what falls due runs, in no particular order. */
  public void advance(Duration time) {
    now += time.toNanos();
    for (Timer timer : List.copyOf(timers)) {
      if (timer.atNanos() <= now && timers.remove(timer)) {
        timer.task().run();
      }
    }
  }

  /** How long until the next timer. */
  public Duration untilNextTimer() {
    return Duration.ofNanos(timers.stream().mapToLong(Timer::atNanos).min().orElseThrow() - now);
  }
}
