package dev.sluice.router.proxy;

import dev.sluice.router.fleet.Fleet;
import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.fleet.Subscription;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A call waits until the fleet changes or the time is over; whoever ends the wait goes on with it.
 *
 * <p>Threading: any thread may end it, one does.
 */
final class FleetWait implements Stoppable {
  private final Fleet fleet;
  private final FleetSnapshot seen;
  private final Runnable then;
  private final AtomicBoolean ended = new AtomicBoolean();
  private volatile Subscription change = () -> {};
  private volatile Subscription timeout = () -> {};

  /**
   * @param seen the fleet that cannot take the call
   */
  FleetWait(Fleet fleet, FleetSnapshot seen, Runnable then) {
    this.fleet = fleet;
    this.seen = seen;
    this.then = then;
  }

  void begin(Duration limit) {
    change = fleet.subscribe(this::end);
    timeout = fleet.schedule(limit, this::end);
    if (ended.get()) {
      unsubscribe(); // it ended while these two were made
    } else if (fleet.snapshot().version() != seen.version()) {
      end(); // the fleet changed before it could tell
    }
  }

  /** Waits for the time alone. */
  void pause(Duration limit) {
    timeout = fleet.schedule(limit, this::end);
    if (ended.get()) {
      unsubscribe();
    }
  }

  @Override
  public void stop(String why) {
    end();
  }

  private void end() {
    if (ended.compareAndSet(false, true)) {
      unsubscribe();
      then.run();
    }
  }

  private void unsubscribe() {
    change.close();
    timeout.close();
  }
}
