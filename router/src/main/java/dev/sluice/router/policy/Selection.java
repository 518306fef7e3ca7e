package dev.sluice.router.policy;

import dev.sluice.router.fleet.Charge;
import dev.sluice.router.fleet.WorkerBreaker;
import dev.sluice.router.fleet.WorkerView;
import java.util.List;

/** The outcome of one routing decision. */
public sealed interface Selection {
  /**
   * A worker, charged with the request.
   *
   * @param candidates number of workers that could have been chosen
   * @param pass tells its breaker what comes of it
   * @param charge to be released when the request has left the worker
   */
  record Chosen(WorkerView worker, int candidates, WorkerBreaker.Pass pass, Charge charge)
      implements Selection {}

  /** Why nobody can be chosen; {@code joining}: a worker that may still come could change that. */
  sealed interface None extends Selection {
    boolean joining();
  }

  /** Nobody serves a model of this name. */
  record UnknownModel(String name, List<String> known, boolean joining) implements None {}

  /** No model was named, and there are several. */
  record AmbiguousModel(List<String> known) implements None {
    @Override
    public boolean joining() {
      return false;
    }
  }

  /** The model exists, but no worker of it takes requests, or none that was not tried. */
  record NobodyReady(String name, boolean joining) implements None {}

  /** Workers of the model are ready, and all have as much to do as they allow. */
  record NoRoom(String name, boolean joining) implements None {}
}
