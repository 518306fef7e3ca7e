package dev.sluice.app.bench;

import java.util.ArrayList;
import java.util.Arrays;
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
  /** Time over which tokens are added up: a tenth of a second. */
  static final long CELL_NANOS = 100_000_000;

  private static final int CELLS_OF_SECOND = 10;

  private final LongSupplier clock;
  private final List<Outcome> outcomes = new ArrayList<>();
  private final List<LongAdder> cells = new ArrayList<>();
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
    cell((int) (clock.getAsLong() / CELL_NANOS)).add(count);
  }

  private LongAdder cell(int index) {
    synchronized (cells) {
      while (cells.size() <= index) {
        cells.add(new LongAdder());
      }
      return cells.get(index);
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
    return Summary.of(all, slos, Math.max(end, 1) / 1e9, peak());
  }

  /** Most tokens in a second. */
  private long peak() {
    long[] all = tokensOverTime();
    long peak = 0;
    for (int first = 0; first < all.length; first += CELLS_OF_SECOND) {
      int end = Math.min(first + CELLS_OF_SECOND, all.length);
      peak = Math.max(peak, Arrays.stream(all, first, end).sum());
    }
    return peak;
  }

  /** Tokens that came in each {@link #CELL_NANOS} since the start. */
  long[] tokensOverTime() {
    synchronized (cells) {
      return cells.stream().mapToLong(LongAdder::sum).toArray();
    }
  }
}
