package dev.sluice.worker.engine;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A few threads that help the engine thread with work that falls into independent parts. Parts are
 * handed out one by one, so a helper that wakes late, or never, costs nothing but its help.
 *
 * <p>Threading: one thread, always the same, calls {@link #run}; it takes part. Helpers sleep
 * between two runs. A run allocates nothing.
 */
final class Crew implements AutoCloseable {
  /** A part of the work. */
  interface Work {
    /**
     * Does one part; must not throw.
     *
     * @param member who does it, 0 to members - 1; at any time one thread is this member
     * @param part which, from 0
     */
    void part(int member, int part);
  }

  /** The time in which a helper mostly finishes the part that it has begun. */
  private static final int SPINS = 2000;

  private final Work work;
  private final Thread[] helpers;
  private final AtomicLong parts = new AtomicLong(); // number of parts << 32 | next part
  private final AtomicInteger unfinished = new AtomicInteger();
  private volatile @Nullable Thread waiting;
  private volatile boolean closed;

  /**
   * @param members threads that work, the caller among them; at least 1
   */
  Crew(String name, int members, Work work) {
    this.work = work;
    this.helpers = new Thread[members - 1];
    for (int i = 0; i < helpers.length; i++) {
      int member = i + 1;
      helpers[i] =
          Thread.ofPlatform().daemon().name(name + "-" + member).unstarted(() -> help(member));
    }
  }

  void start() {
    for (Thread helper : helpers) {
      helper.start();
    }
  }

  /**
   * Does all parts and returns when they are done.
   *
   * @param wanted members worth waking
   */
  void run(int count, int wanted) {
    unfinished.set(count);
    parts.set((long) count << 32);
    for (int i = 0; i < Math.min(wanted - 1, helpers.length); i++) {
      LockSupport.unpark(helpers[i]);
    }
    work(0);
    for (int i = 0; i < SPINS && unfinished.get() > 0; i++) {
      Thread.onSpinWait();
    }
    waiting = Thread.currentThread();
    while (unfinished.get() > 0) {
      LockSupport.park(this);
    }
    waiting = null;
  }

  private void help(int member) {
    while (!closed) {
      work(member);
      LockSupport.park(this);
    }
  }

  /** Does parts until there are none. */
  private void work(int member) {
    long now = parts.get();
    while ((int) now < (int) (now >>> 32)) {
      if (parts.compareAndSet(now, now + 1)) {
        try {
          work.part(member, (int) now);
        } finally {
          if (unfinished.decrementAndGet() == 0) {
            LockSupport.unpark(waiting);
          }
        }
      }
      now = parts.get();
    }
  }

  /** Lets the helpers go; no run may follow. */
  @Override
  public void close() {
    closed = true;
    for (Thread helper : helpers) {
      LockSupport.unpark(helper);
    }
  }
}
