package dev.sluice.app;

import dev.sluice.app.fleet.Distribution;
import java.io.IOException;
import java.io.InputStream;

/**
 * Ends this process when the one that started it is gone, even by {@code kill -9}: the parent holds
 * the other end of standard input and never writes, so that its end is the end of the input.
 * Running requests get the usual grace; after {@link #GRACE_MILLIS} the process is halted.
 *
 * <p>Threading: one daemon thread that only waits.
 */
final class ParentWatch {
  private static final long GRACE_MILLIS = 10_000;

  private ParentWatch() {}

  static void startIfAsked() {
    if (Boolean.getBoolean(Distribution.EXIT_WITH_PARENT)) {
      Thread.ofPlatform().daemon().name("sluice-parent-watch").start(() -> awaitEnd(System.in));
    }
  }

  private static void awaitEnd(InputStream input) {
    try {
      while (input.read() >= 0) {}
    } catch (IOException e) {
      // As good as the end.
    }
    Thread.ofPlatform().daemon().name("sluice-halt").start(ParentWatch::haltLater);
    System.exit(1);
  }

  private static void haltLater() {
    try {
      Thread.sleep(GRACE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Runtime.getRuntime().halt(1);
  }
}
