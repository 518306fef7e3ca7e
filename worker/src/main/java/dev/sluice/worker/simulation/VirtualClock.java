package dev.sluice.worker.simulation;

import dev.sluice.worker.engine.NanoClock;

/**
 * A clock that moves when told to.
 *
 * <p>Threading: one thread moves it; any may read it.
 */
public final class VirtualClock implements NanoClock {
  private volatile long nanos;

  @Override
  public long nanos() {
    return nanos;
  }

  /** Moves on by some nanoseconds. */
  public void advance(long byNanos) {
    set(nanos + byNanos);
  }

  /** Moves on to a moment. */
  public void set(long toNanos) {
    if (toNanos < nanos) {
      throw new IllegalArgumentException(
          "toNanos: " + toNanos + " (expected: " + nanos + " or later)");
    }
    nanos = toNanos;
  }
}
