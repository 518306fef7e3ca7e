package dev.sluice.router.fleet;

import dev.sluice.v1.Capabilities;
import dev.sluice.v1.Limits;
import dev.sluice.v1.Load;
import dev.sluice.v1.Model;
import dev.sluice.v1.WorkerIdentity;
import dev.sluice.v1.WorkerSnapshot;
import dev.sluice.v1.WorkerState;

/**
 * What a worker said about itself: its snapshot with all deltas applied.
 *
 * @param routers that watch it
 */
public record WorkerReport(
    WorkerIdentity identity,
    Capabilities capabilities,
    Model model,
    Limits limits,
    WorkerState state,
    Load load,
    int routers) {

  static WorkerReport of(WorkerSnapshot snapshot) {
    return new WorkerReport(
        snapshot.getIdentity(),
        snapshot.getCapabilities(),
        snapshot.getModel(),
        snapshot.getLimits(),
        snapshot.getState(),
        snapshot.getLoad(),
        snapshot.getSubscribers());
  }

  WorkerReport withLoad(Load newLoad) {
    return new WorkerReport(identity, capabilities, model, limits, state, newLoad, routers);
  }

  WorkerReport withState(WorkerState newState) {
    return new WorkerReport(identity, capabilities, model, limits, newState, load, routers);
  }

  WorkerReport withRouters(int newRouters) {
    return new WorkerReport(identity, capabilities, model, limits, state, load, newRouters);
  }
}
