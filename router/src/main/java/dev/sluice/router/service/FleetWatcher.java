package dev.sluice.router.service;

import dev.sluice.router.fleet.Fleet;
import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.fleet.Subscription;
import dev.sluice.v1.WatchFleetResponse;
import io.grpc.stub.ServerCallStreamObserver;

/**
 * One operator who watches the fleet. A slow one misses what is in between, never the last state.
 *
 * <p>Threading: the fleet loop and gRPC's callbacks; sending is under the lock.
 */
final class FleetWatcher {
  private final Fleet fleet;
  private final ServerCallStreamObserver<WatchFleetResponse> observer;
  private final Object lock = new Object();
  private long sentVersion; // guarded by lock

  FleetWatcher(Fleet fleet, ServerCallStreamObserver<WatchFleetResponse> observer) {
    this.fleet = fleet;
    this.observer = observer;
  }

  void start() {
    Subscription subscription = fleet.subscribe(this::send);
    observer.setOnCancelHandler(subscription::close);
    observer.setOnReadyHandler(this::send);
    send();
  }

  private void send() {
    synchronized (lock) {
      FleetSnapshot snapshot = fleet.snapshot();
      if (snapshot.version() == sentVersion || !observer.isReady() || observer.isCancelled()) {
        return;
      }
      sentVersion = snapshot.version();
      observer.onNext(
          WatchFleetResponse.newBuilder().addAllWorkers(FleetMessages.workers(snapshot)).build());
    }
  }
}
