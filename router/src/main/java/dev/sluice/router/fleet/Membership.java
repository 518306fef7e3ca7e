package dev.sluice.router.fleet;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * Which workers belong to the fleet: those that always do, and those that are found. One that is
 * found no more gets no requests, and goes once those that it has are over.
 *
 * <p>Threading: the fleet loop.
 */
final class Membership {
  private final Function<WorkerAddress, WorkerTracker> newTracker;
  private final Set<WorkerAddress> fixed;
  private final Map<Discovery, Set<WorkerAddress>> found = new HashMap<>();
  private final TreeMap<WorkerAddress, WorkerTracker> trackers = new TreeMap<>();

  /**
   * @param newTracker makes the tracker of a worker, which is opened later
   */
  Membership(Collection<WorkerAddress> fixed, Function<WorkerAddress, WorkerTracker> newTracker) {
    this.newTracker = newTracker;
    this.fixed = Set.copyOf(fixed);
    this.fixed.forEach(address -> trackers.put(address, newTracker.apply(address)));
  }

  Collection<WorkerTracker> trackers() {
    return trackers.values();
  }

  Optional<WorkerTracker> tracker(WorkerAddress address) {
    return Optional.ofNullable(trackers.get(address));
  }

  /** All workers that a source knows. Opens those that are new. */
  void found(Discovery source, Set<WorkerAddress> addresses) {
    found.put(source, Set.copyOf(addresses));
    Set<WorkerAddress> expected = new TreeSet<>(fixed);
    found.values().forEach(expected::addAll);
    for (WorkerAddress address : expected) {
      WorkerTracker known = trackers.get(address);
      if (known == null) {
        WorkerTracker tracker = newTracker.apply(address);
        trackers.put(address, tracker);
        tracker.open();
      } else {
        known.stay();
      }
    }
    trackers.forEach((address, tracker) -> {
      if (!expected.contains(address)) {
        tracker.leave("no longer found by " + source.source());
      }
    });
  }

  /** Whether any worker is about to go. */
  boolean anyLeaving() {
    return trackers.values().stream().anyMatch(WorkerTracker::isLeaving);
  }

  /**
   * Lets go of those that are leaving and have nothing to do any more; they are gone, but known.
   */
  List<WorkerAddress> closeIdle() {
    List<WorkerAddress> gone = new ArrayList<>();
    trackers.forEach((address, tracker) -> {
      if (tracker.isLeaving() && tracker.isIdle()) {
        tracker.close("left the fleet");
        gone.add(address);
      }
    });
    return gone;
  }

  /** Forgets those that are gone. */
  void remove(List<WorkerAddress> gone) {
    gone.forEach(trackers::remove);
  }
}
