package dev.sluice.router.fleet;

import dev.sluice.router.index.PrefixIndex;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The workers of this router.
 *
 * <p>Threading: the {@link FleetLoop} is the only writer; it publishes an immutable {@link
 * FleetSnapshot} that any thread may read. Changes that come together are published once.
 */
public final class Fleet implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Fleet.class);

  /** How often a worker that leaves is looked after. */
  private static final Duration LEAVE_CHECK = Duration.ofMillis(200);

  private final FleetLoop loop;
  private final Membership members;
  private final List<Discovery> discoveries = new ArrayList<>();
  private final Set<Listening> listeners = ConcurrentHashMap.newKeySet();
  private final List<Subscription> searches = new ArrayList<>(); // fleet loop only
  private Subscription leaveTimer = () -> {}; // fleet loop only
  private boolean publishPending; // fleet loop only
  private volatile FleetSnapshot snapshot;

  /**
   * A fleet that reaches nobody before {@link #start}.
   *
   * @param addresses of workers that are always expected
   * @param channels opens the channel to a worker; the fleet closes it
   * @param index is told which blocks are cached where; written by the loop alone
   */
  public Fleet(
      List<WorkerAddress> addresses,
      FleetOptions options,
      Function<WorkerAddress, ManagedChannel> channels,
      FleetLoop loop,
      RandomGenerator random,
      PrefixIndex index) {
    this.loop = loop;
    members =
        new Membership(
            addresses,
            address -> {
              ManagedChannel channel = channels.apply(address);
              return new WorkerTracker(
                  new WorkerLink(
                      address,
                      channel,
                      new WorkerBreaker(address.toString(), options.breaker(), loop::nanoTime),
                      index.join()),
                  channel,
                  options,
                  loop,
                  new Backoff(options.backoffInitial(), options.backoffMax(), random),
                  this::changed);
            });
    snapshot = new FleetSnapshot(1, views());
  }

  /** Has the workers that {@code discovery} finds, too; to be called before {@link #start}. */
  public void follow(Discovery discovery) {
    discoveries.add(discovery);
  }

  /** Starts to look for workers and to watch them. */
  public void start() {
    loop.execute(() -> {
      members.trackers().forEach(WorkerTracker::open);
      for (Discovery discovery : discoveries) {
        searches.add(discovery.start(found -> found(discovery, found)));
      }
    });
  }

  private void found(Discovery source, Set<WorkerAddress> addresses) {
    members.found(source, addresses);
    changed();
    letGo();
  }

  /** Closes those that leave and have nothing to do; looks again as long as there are others. */
  private void letGo() {
    leaveTimer.close();
    List<WorkerAddress> gone = members.closeIdle();
    if (!gone.isEmpty()) {
      publish(); // who watches the fleet sees that they are gone
      members.remove(gone);
      publish();
    }
    if (members.anyLeaving()) {
      leaveTimer = loop.schedule(LEAVE_CHECK, this::letGo);
    }
  }

  /** All workers, now. */
  public FleetSnapshot snapshot() {
    return snapshot;
  }

  /**
   * Runs {@code listener} on the fleet loop after every new snapshot, until the answer is closed. A
   * snapshot newer than the one that the caller has seen may exist already: look after subscribing.
   */
  public Subscription subscribe(Runnable listener) {
    Listening listening = new Listening(listener);
    listeners.add(listening);
    return listening;
  }

  /**
   * Runs {@code task} on the fleet loop after {@code delay}, unless the answer is closed before.
   */
  public Subscription schedule(Duration delay, Runnable task) {
    return loop.schedule(delay, task);
  }

  /** The worker with this id or address. */
  public Optional<WorkerView> find(String idOrAddress) {
    return snapshot.workers().stream()
        .filter(w -> w.name().equals(idOrAddress) || w.address().toString().equals(idOrAddress))
        .findFirst();
  }

  /** Takes a worker out of use by this router, or back into it. Returns once it is in effect. */
  public void cordon(WorkerAddress address, boolean on) {
    runOnLoop(() -> {
      members.tracker(address).ifPresent(tracker -> tracker.cordon(on));
      publish();
    });
  }

  /** Lets go of all workers; calls that still run there are cancelled. */
  @Override
  public void close() {
    runOnLoop(() -> {
      searches.forEach(Subscription::close);
      leaveTimer.close();
      members.trackers().forEach(tracker -> tracker.close("the router stops"));
      publish();
    });
  }

  private void changed() {
    if (!publishPending) {
      publishPending = true;
      loop.execute(this::publish);
    }
  }

  private void publish() {
    publishPending = false;
    snapshot = new FleetSnapshot(snapshot.version() + 1, views());
    for (Listening listening : listeners) {
      try {
        listening.listener.run();
      } catch (RuntimeException e) {
        log.error("fleet listener failed", e);
      }
    }
  }

  private List<WorkerView> views() {
    return members.trackers().stream().map(WorkerTracker::view).toList();
  }

  private void runOnLoop(Runnable task) {
    CountDownLatch done = new CountDownLatch(1);
    loop.execute(() -> {
      try {
        task.run();
      } finally {
        done.countDown();
      }
    });
    try {
      done.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Not a record: the same listener may subscribe twice. */
  private final class Listening implements Subscription {
    private final Runnable listener;

    Listening(Runnable listener) {
      this.listener = listener;
    }

    @Override
    public void close() {
      listeners.remove(this);
    }
  }
}
