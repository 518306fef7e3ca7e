package dev.sluice.router.service;

import dev.sluice.router.fleet.FleetSnapshot;
import dev.sluice.router.fleet.WorkerStatus;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.v1.FleetState;
import dev.sluice.v1.FleetWorker;
import java.util.List;

/** The fleet in the words of the contract. */
final class FleetMessages {
  private FleetMessages() {}

  static List<FleetWorker> workers(FleetSnapshot snapshot) {
    return snapshot.workers().stream().map(FleetMessages::worker).toList();
  }

  static FleetWorker worker(WorkerView view) {
    FleetWorker.Builder worker =
        FleetWorker.newBuilder()
            .setAddress(view.address().toString())
            .setState(state(view.status()))
            .setInFlight(view.link().inFlight())
            .setReason(view.reason());
    view.report()
        .ifPresent(report ->
            worker.setIdentity(report.identity()).setModel(report.model()).setLoad(report.load()));
    return worker.build();
  }

  private static FleetState state(WorkerStatus status) {
    return switch (status) {
      case JOINING -> FleetState.FLEET_STATE_JOINING;
      case READY -> FleetState.FLEET_STATE_READY;
      case DRAINING -> FleetState.FLEET_STATE_DRAINING;
      case SUSPECT -> FleetState.FLEET_STATE_SUSPECT;
      case GONE -> FleetState.FLEET_STATE_GONE;
    };
  }
}
