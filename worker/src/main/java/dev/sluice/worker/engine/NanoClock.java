package dev.sluice.worker.engine;

/** A monotonic clock; only differences of its readings mean anything. */
@FunctionalInterface
public interface NanoClock {
  /** The process's clock. */
  NanoClock SYSTEM = System::nanoTime;

  /** Nanoseconds since an arbitrary moment. */
  long nanos();
}
