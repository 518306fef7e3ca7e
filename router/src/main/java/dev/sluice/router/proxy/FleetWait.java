package dev.sluice.router.proxy;

import dev.sluice.router.fleet.Fleet;
import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.fleet.Subscription;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A call waits until the time is over or, if that helps, the fleet changes; whoever ends the wait
 * goes on with it.
 *
 * <p>Threading: any thread may end it, one does.
 */
final class FleetWait implements Stoppable {
  private final Fleet fleet;
  private final Runnable then;
  private final AtomicBoolean ended = new AtomicBoolean();
  private volatile Subscription change = () -> {};
  private volatile Subscription timeout = () -> {};

  FleetWait(Fleet fleet, Runnable then) {
    this.fleet = fleet;
    this.then = then;
  }

  /**
   * @param seen the fleet that cannot take the call, if a change of it ends the wait
   */
  void begin(Optional<FleetSnapshot> seen, Duration limit) {
    if (seen.isPresent()) {
      change = fleet.subscribe(this::end);
    }
    timeout = fleet.schedule(limit, this::end);
    if (ended.get()) {
      unsubscribe(); // it ended while these two were made
    } else if (seen.isPresent() && fleet.snapshot().version() != seen.get().version()) {
      end(); // the fleet changed before it could tell
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
