package dev.sluice.worker.engine;

import java.util.concurrent.atomic.AtomicLong;

/** A clock that moves when told to. */
final class FakeClock implements NanoClock {
  private final AtomicLong nanos;

  FakeClock(long startNanos) {
    nanos = new AtomicLong(startNanos);
  }

  @Override
  public long nanos() {
    return nanos.get();
  }

  void advance(long byNanos) {
    nanos.addAndGet(byNanos);
  }
}
