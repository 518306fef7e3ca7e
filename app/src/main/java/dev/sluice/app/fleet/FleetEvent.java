package dev.sluice.app.fleet;

import dev.sluice.v1.FleetWorker;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** What happens in a fleet, for whoever shows it. */
public sealed interface FleetEvent {
  /** A process listens. */
  record Listening(String name, long pid, String address) implements FleetEvent {}

  /** What the router knows of its workers. */
  record Workers(List<FleetWorker> workers) implements FleetEvent {
    public Workers {
      workers = List.copyOf(workers);
    }
  }

  /** A process ended by itself. */
  record Died(String name, String how) implements FleetEvent {}

  /** It will be started again. */
  record Restarting(String name, Duration delay) implements FleetEvent {}

  /**
   * Every worker takes requests.
   *
   * @param target where the router is reached by gRPC, host:port
   * @param http where it is reached by HTTP, a URL
   */
  record Ready(String target, Optional<String> http) implements FleetEvent {}
}
