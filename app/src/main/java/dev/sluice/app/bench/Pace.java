package dev.sluice.app.bench;

import java.util.SplittableRandom;
import java.util.function.LongSupplier;

/**
 * When jobs begin. An open loop does not wait for answers, as real users do not; a closed loop
 * begins a job when another ends, and so never shows what a queue does.
 */
sealed interface Pace {
  /** For a title. */
  String described();

  /** As soon as one of so many places is free. */
  record Closed(int concurrency) implements Pace {
    @Override
    public String described() {
      return concurrency + " at once";
    }
  }

  /** A Poisson process. */
  record Poisson(double perSecond) implements Pace {
    @Override
    public String described() {
      return perSecond + " per second";
    }

    /** Nanoseconds after the start, for one job after the other. */
    LongSupplier arrivals(SplittableRandom random) {
      return new LongSupplier() {
        private double seconds;

        @Override
        public long getAsLong() {
          seconds += random.nextExponential() / perSecond;
          return (long) (seconds * 1e9);
        }
      };
    }
  }

  /** As the workload says, so many times as fast. */
  record Recorded(double speed) implements Pace {
    @Override
    public String described() {
      return speed + " times as fast as recorded";
    }
  }
}
