package dev.sluice.router.testing;

import dev.sluice.router.fleet.BreakerOptions;
import dev.sluice.router.fleet.WorkerAddress;
import dev.sluice.router.fleet.WorkerBreaker;
import dev.sluice.router.fleet.WorkerLink;

/** Links to workers that nobody calls. */
public final class Links {
  private Links() {}

  public static WorkerLink to(WorkerAddress address) {
    return new WorkerLink(
        address,
        new NoChannel(),
        new WorkerBreaker(address.toString(), BreakerOptions.DEFAULTS, System::nanoTime));
  }
}
