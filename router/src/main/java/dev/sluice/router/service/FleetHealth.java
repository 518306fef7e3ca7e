package dev.sluice.router.service;

import dev.sluice.router.fleet.Fleet;
import dev.sluice.router.fleet.Subscription;
import dev.sluice.v1.GenerationServiceGrpc;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;

/**
 * Says SERVING as long as at least one worker takes requests. Threading: the fleet loop, once
 * started.
 */
public final class FleetHealth {
  private final Fleet fleet;
  private final HealthStatusManager health;

  public FleetHealth(Fleet fleet, HealthStatusManager health) {
    this.fleet = fleet;
    this.health = health;
  }

  /** Follows the fleet until the answer is closed. */
  public Subscription start() {
    Subscription subscription = fleet.subscribe(this::update);
    update();
    return subscription;
  }

  private synchronized void update() { // the first one races with the loop's
    ServingStatus status =
        fleet.snapshot().ready() > 0 ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
    health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, status);
    health.setStatus(GenerationServiceGrpc.SERVICE_NAME, status);
  }
}
