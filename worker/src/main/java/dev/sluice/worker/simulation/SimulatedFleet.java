package dev.sluice.worker.simulation;

import dev.sluice.common.server.EventLoops;
import dev.sluice.common.tokenizer.Tokenizer;
import dev.sluice.common.tokenizer.TokenizerBundle;
import java.util.ArrayList;
import java.util.List;

/**
 * Many workers in one process, each a gRPC server with an engine of its own, for tests and
 * benchmarks of what stands in front of workers. They share event loops and tokenizer; each has the
 * threads {@code engine}, {@code watch} and {@code watchdog}, which sleep when it is idle.
 *
 * <p>Threading: one thread starts and closes it.
 */
public final class SimulatedFleet implements AutoCloseable {
  private final EventLoops loops;
  private final Tokenizer tokenizer;
  private final List<SimulatedWorker> workers = new ArrayList<>();

  private SimulatedFleet(int eventLoops, TokenizerBundle bundle) {
    loops = EventLoops.create(eventLoops);
    tokenizer = Tokenizer.load(bundle);
  }

  /**
   * Starts all workers; when this returns they take requests.
   *
   * @param firstPort of the first worker, the next has the next; 0: any free ones
   * @param eventLoops threads that do socket I/O for all of them
   * @throws dev.sluice.common.error.ListenException if a port cannot be had
   */
  public static SimulatedFleet start(
      int workers, int firstPort, int eventLoops, SimulatedWorkerOptions options) {
    TokenizerBundle bundle = ByteTokenizer.bundle();
    SimulatedFleet fleet = new SimulatedFleet(eventLoops, bundle);
    try {
      for (int i = 0; i < workers; i++) {
        int port = firstPort == 0 ? 0 : firstPort + i;
        fleet.workers.add(
            SimulatedWorker.start(
                "simulated-" + (i + 1), port, options, fleet.loops, bundle, fleet.tokenizer));
      }
      return fleet;
    } catch (RuntimeException e) {
      fleet.close();
      throw e;
    }
  }

  /** Where the workers listen, host:port, in the order of their names. */
  public List<String> addresses() {
    return workers.stream().map(worker -> "127.0.0.1:" + worker.port()).toList();
  }

  /** Stops one worker: its running requests end within the grace. */
  public void stop(int worker) {
    workers.get(worker).close();
  }

  /** Stops all of them at once, so that the grace passes once. */
  @Override
  public void close() {
    List<Thread> closing =
        workers.stream().map(worker -> Thread.startVirtualThread(worker::close)).toList();
    for (Thread thread : closing) {
      join(thread);
    }
    loops.close();
    tokenizer.close();
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
