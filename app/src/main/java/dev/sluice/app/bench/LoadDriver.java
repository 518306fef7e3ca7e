package dev.sluice.app.bench;

import dev.sluice.app.bench.Job.Turn;
import java.util.Iterator;
import java.util.SplittableRandom;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Begins jobs when they are due, each on a virtual thread, and waits for all of them.
 *
 * <p>Threading: {@link #run} by one thread; {@link #stop} by any.
 */
final class LoadDriver {
  private final Sender sender;
  private final Pace pace;
  private final int maxInFlight;
  private final LongSupplier clock;
  private final Consumer<Outcome> outcomes;
  private volatile boolean stopped;

  /**
   * @param maxInFlight jobs at once; those beyond are begun late, and are measured from when they
   *     were due
   * @param clock nanoseconds since the start of the measurement
   * @param outcomes called by many threads
   */
  LoadDriver(
      Sender sender, Pace pace, int maxInFlight, LongSupplier clock, Consumer<Outcome> outcomes) {
    this.sender = sender;
    this.pace = pace;
    this.maxInFlight = maxInFlight;
    this.clock = clock;
    this.outcomes = outcomes;
  }

  /**
   * Runs jobs.
   *
   * @param arrivals draws the times of an open loop
   * @param limitNanos none is begun later
   */
  void run(Iterator<Job> jobs, SplittableRandom arrivals, long limitNanos)
      throws InterruptedException {
    int places = pace instanceof Pace.Closed(int concurrency) ? concurrency : maxInFlight;
    Semaphore free = new Semaphore(places);
    LongSupplier poisson =
        pace instanceof Pace.Poisson process ? process.arrivals(arrivals) : () -> 0;
    while (jobs.hasNext() && !stopped) {
      Job job = jobs.next();
      long due =
          switch (pace) {
            case Pace.Closed _ -> 0;
            case Pace.Poisson _ -> poisson.getAsLong();
            case Pace.Recorded(double speed) ->
                (long) (job.arrival().orElseThrow().toNanos() / speed);
          };
      if (due > limitNanos || !waitUntil(due)) {
        break;
      }
      free.acquire();
      long begin = pace instanceof Pace.Closed ? clock.getAsLong() : due;
      if (begin > limitNanos) {
        free.release();
        break;
      }
      Thread.ofVirtual()
          .start(() -> {
            try {
              send(job, begin);
            } finally {
              free.release();
            }
          });
    }
    free.acquire(places);
  }

  private boolean waitUntil(long due) {
    for (long wait = due - clock.getAsLong();
        wait > 0 && !stopped;
        wait = due - clock.getAsLong()) {
      LockSupport.parkNanos(this, wait);
    }
    return !stopped;
  }

  private void send(Job job, long begin) {
    Sender.Talk talk = sender.talk(job);
    long due = begin;
    for (Turn turn : job.turns()) {
      Outcome outcome = talk.send(turn, due);
      outcomes.accept(outcome);
      if (!outcome.completed() || stopped) {
        return; // without the answer the conversation cannot go on
      }
      due = clock.getAsLong();
    }
  }

  /** Begins no more jobs. */
  void stop() {
    stopped = true;
  }
}
