package dev.sluice.app.fleet;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What a fleet on this machine is made of.
 *
 * @param workers number of workers, 1 to 64
 * @param model catalogue name or path
 * @param routerPort of the router's gRPC; 0: any free one
 * @param workerArguments further flags for every worker
 * @param routerArguments further flags for the router
 * @param stopGrace how long a process may take to end before it is killed
 * @param logs folder for the output of the processes
 */
public record LocalFleetOptions(
    int workers,
    String model,
    int routerPort,
    List<String> workerArguments,
    List<String> routerArguments,
    Duration stopGrace,
    Path logs) {
  public LocalFleetOptions {
    if (workers < 1 || workers > 64) {
      throw new IllegalArgumentException("workers: " + workers + " (expected: 1 to 64)");
    }
    workerArguments = List.copyOf(workerArguments);
    routerArguments = List.copyOf(routerArguments);
  }

  /** Threads of a worker if the processors are shared out evenly. */
  int threadsPerWorker() {
    return Math.max(1, Runtime.getRuntime().availableProcessors() / workers);
  }
}
