package dev.sluice.app.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/**
 * Collects what comes back, while a measurement runs.
 *
 * <p>Threading: safe for use by many threads.
 */
final class Recorder {
  private static final long SECOND = 1_000_000_000;

  private final LongSupplier clock;
  private final List<Outcome> outcomes = new ArrayList<>();
  private final List<LongAdder> perSecond = new ArrayList<>();
  private final LongAdder tokens = new LongAdder();
  private final AtomicInteger failed = new AtomicInteger();

  /**
   * @param clock nanoseconds since the start
   */
  Recorder(LongSupplier clock) {
    this.clock = clock;
  }

  void add(Outcome outcome) {
    if (!outcome.completed()) {
      failed.incrementAndGet();
    }
    synchronized (outcomes) {
      outcomes.add(outcome);
    }
  }

  void addTokens(int count) {
    tokens.add(count);
    second((int) (clock.getAsLong() / SECOND)).add(count);
  }

  private LongAdder second(int index) {
    synchronized (perSecond) {
      while (perSecond.size() <= index) {
        perSecond.add(new LongAdder());
      }
      return perSecond.get(index);
    }
  }

  long tokens() {
    return tokens.sum();
  }

  int failed() {
    return failed.get();
  }

  int ended() {
    synchronized (outcomes) {
      return outcomes.size();
    }
  }

  List<Outcome> outcomes() {
    synchronized (outcomes) {
      return List.copyOf(outcomes);
    }
  }

  Summary summary(List<Slo> slos) {
    List<Outcome> all = outcomes();
    long end = all.stream().mapToLong(o -> o.due() + o.e2e()).max().orElse(0);
    long peak;
    synchronized (perSecond) {
      peak = perSecond.stream().mapToLong(LongAdder::sum).max().orElse(0);
    }
    return Summary.of(all, slos, Math.max(end, 1) / 1e9, peak);
  }
}
