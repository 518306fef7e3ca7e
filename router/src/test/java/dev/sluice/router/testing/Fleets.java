package dev.sluice.router.testing;

import dev.sluice.router.fleet.Fleet;
import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.fleet.Subscription;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** Waits for a fleet. */
public final class Fleets {
  private Fleets() {}

  public static void awaitReady(Fleet fleet, int workers) {
    await(fleet, snapshot -> snapshot.ready() == workers);
  }

  /** Returns once a published snapshot satisfies the condition. */
  public static void await(Fleet fleet, Predicate<FleetSnapshot> condition) {
    CountDownLatch met = new CountDownLatch(1);
    Runnable look =
        () -> {
          if (condition.test(fleet.snapshot())) {
            met.countDown();
          }
        };
    try (Subscription _ = fleet.subscribe(look)) {
      look.run();
      if (!met.await(20, TimeUnit.SECONDS)) {
        throw new AssertionError("not within 20 s; the fleet is " + fleet.snapshot());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }
}
