package dev.sluice.router.testing;

import dev.sluice.router.fleet.BreakerOptions;
import dev.sluice.router.fleet.WorkerAddress;
import dev.sluice.router.fleet.WorkerBreaker;
import dev.sluice.router.fleet.WorkerLink;
import dev.sluice.router.index.IndexOptions;
import dev.sluice.router.index.PrefixIndex;

/** Links to workers that nobody calls. */
public final class Links {
  private static final PrefixIndex INDEX = new PrefixIndex(IndexOptions.DEFAULTS);

  private Links() {}

  public static WorkerLink to(WorkerAddress address) {
    return to(address, INDEX);
  }

  public static WorkerLink to(WorkerAddress address, PrefixIndex index) {
    return new WorkerLink(
        address,
        new NoChannel(),
        new WorkerBreaker(address.toString(), BreakerOptions.DEFAULTS, System::nanoTime),
        index.join());
  }
}
