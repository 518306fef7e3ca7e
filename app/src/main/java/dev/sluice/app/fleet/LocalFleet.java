package dev.sluice.app.fleet;

import dev.sluice.app.cli.FailedException;
import dev.sluice.app.fleet.Distribution.Role;
import dev.sluice.v1.FleetState;
import dev.sluice.v1.FleetWorker;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * One router and its workers as child processes of this one. A worker that dies after the fleet was
 * ready is started again on the same port, later each time; the fleet fails when its router dies,
 * or a worker before it was ready. No child outlives this process, however it ends.
 *
 * <p>Threading: each child belongs to its supervisor's thread; {@link #close} may come from any
 * thread, also from a shutdown hook, and returns when all children have ended.
 */
public final class LocalFleet implements AutoCloseable {
  private static final String HOST = "127.0.0.1";
  private static final Duration STOP_MARGIN = Duration.ofSeconds(3);

  private final Distribution distribution;
  private final LocalFleetOptions options;
  private final Consumer<FleetEvent> events;
  private final CompletableFuture<Void> ready = new CompletableFuture<>();
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private final ReentrantLock stopping = new ReentrantLock();
  private final List<Supervisor> workers = new ArrayList<>(); // guarded by this
  private Optional<Supervisor> router = Optional.empty(); // guarded by this
  private Optional<FleetWatch> watch = Optional.empty(); // guarded by this
  private Optional<String> http = Optional.empty(); // guarded by this
  private boolean closed; // guarded by this
  private boolean stopped; // guarded by stopping

  /**
   * Makes a fleet that {@link #start} starts; so a shutdown hook can close it meanwhile.
   *
   * @param events told what happens, from several threads
   */
  public LocalFleet(
      Distribution distribution, LocalFleetOptions options, Consumer<FleetEvent> events) {
    this.distribution = distribution;
    this.options = options;
    this.events = events;
  }

  /**
   * Starts the processes and waits until all of them listen. Models load meanwhile: see {@link
   * #awaitReady}.
   *
   * @return where the router is reached, host:port
   * @throws ChildFailedException if one of them cannot start
   */
  public String start() {
    List<Supervisor> started = new ArrayList<>();
    for (int i = 1; i <= options.workers(); i++) {
      started.add(startWorker("worker-" + i));
    }
    List<String> addresses = new ArrayList<>();
    for (Supervisor worker : started) {
      addresses.add(HOST + ":" + worker.awaitPorts().get("grpc"));
    }
    Map<String, Integer> ports = startRouter(addresses).awaitPorts();
    String target = HOST + ":" + ports.get("grpc");
    synchronized (this) {
      http = Optional.ofNullable(ports.get("http")).map(port -> "http://" + HOST + ":" + port);
      refuseIfClosed();
      watch = Optional.of(FleetWatch.start(target, this::onWorkers));
    }
    return target;
  }

  /** Where the router's HTTP edge is reached, once it is started and if it has one. */
  public synchronized Optional<String> http() {
    return http;
  }

  private synchronized Supervisor startWorker(String name) {
    refuseIfClosed();
    List<String> arguments =
        List.of(
            "--worker-id",
            name,
            "--model",
            options.model(),
            "--threads",
            Integer.toString(options.threadsPerWorker()),
            "--telemetry.metrics-port",
            "0");
    Supervisor worker =
        supervise(Role.WORKER, name, 0, arguments, options.workerArguments(), this::isReady);
    workers.add(worker);
    return worker;
  }

  private synchronized Supervisor startRouter(List<String> addresses) {
    refuseIfClosed();
    List<String> arguments =
        new ArrayList<>(
            List.of("--workers", String.join(",", addresses), "--telemetry.metrics-port", "0"));
    if (options.routerPort() == 0
        && options.routerArguments().stream().noneMatch(flag -> flag.startsWith("--http"))) {
      arguments.addAll(List.of("--http-port", "0")); // neither is anybody's business
    }
    Supervisor started =
        supervise(
            Role.ROUTER,
            "router",
            options.routerPort(),
            arguments,
            options.routerArguments(),
            () -> false);
    router = Optional.of(started);
    return started;
  }

  private Supervisor supervise(
      Role role,
      String name,
      int port,
      List<String> arguments,
      List<String> furtherArguments,
      BooleanSupplier restarts) {
    Supervisor.Command command =
        actualPort -> {
          List<String> all = new ArrayList<>(arguments);
          all.addAll(
              List.of(
                  "--port",
                  Integer.toString(actualPort),
                  "--port-file",
                  Child.portFile(options.logs(), name).toString(),
                  "--server.stop-grace",
                  options.stopGrace().toMillis() + "ms"));
          all.addAll(furtherArguments);
          return distribution.command(role, all);
        };
    Supervisor supervisor = Supervisor.start(name, command, port, options.logs(), restarts, events);
    CompletableFuture<Void> _ =
        supervisor
            .end()
            .whenComplete((_, failure) -> {
              if (failure != null) {
                ended.completeExceptionally(failure);
              }
            });
    return supervisor;
  }

  private boolean isReady() {
    return ready.isDone();
  }

  private void onWorkers(List<FleetWorker> now) {
    events.accept(new FleetEvent.Workers(now));
    long takeRequests =
        now.stream().filter(w -> w.getState() == FleetState.FLEET_STATE_READY).count();
    if (takeRequests >= options.workers()) {
      ready.complete(null);
    }
  }

  /**
   * Waits until every worker takes requests.
   *
   * @throws ChildFailedException if a process ends first
   * @throws FailedException when the time is over, or the fleet is closed
   */
  public void awaitReady(Duration timeout) throws InterruptedException {
    try {
      CompletableFuture.anyOf(ready, ended).get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw unwrapped(e);
    } catch (TimeoutException e) {
      throw new FailedException(
          "the fleet is not ready after " + timeout.toSeconds() + " s; logs: " + options.logs(), e);
    }
    refuseIfClosed();
  }

  /**
   * Waits until the fleet is closed.
   *
   * @throws ChildFailedException if its router ends by itself
   */
  public void awaitEnd() throws InterruptedException {
    try {
      ended.get();
    } catch (ExecutionException e) {
      throw unwrapped(e);
    }
  }

  private static RuntimeException unwrapped(ExecutionException e) {
    return e.getCause() instanceof RuntimeException failure
        ? failure
        : new IllegalStateException(e.getCause());
  }

  /** Process ids of the workers, in the order of their names. */
  public synchronized List<Long> workerPids() {
    return workers.stream().map(Supervisor::pid).toList();
  }

  private synchronized void refuseIfClosed() {
    if (closed) {
      throw new FailedException("the fleet was stopped");
    }
  }

  /**
   * Stops the router, so that requests in flight end, then all workers at once: gracefully, and by
   * force when the grace is over. The logs are kept if the fleet failed.
   */
  @Override
  public void close() {
    stopping.lock();
    try {
      if (!stopped) {
        stopAll();
        stopped = true;
      }
    } finally {
      stopping.unlock();
    }
  }

  private void stopAll() {
    Optional<Supervisor> lastRouter;
    List<Supervisor> lastWorkers;
    synchronized (this) {
      closed = true;
      watch.ifPresent(FleetWatch::close);
      lastRouter = router;
      lastWorkers = List.copyOf(workers);
    }
    lastRouter.ifPresent(this::stop);
    lastWorkers.forEach(Supervisor::requestStop);
    lastWorkers.forEach(this::stop);
    ended.complete(null);
    if (!ended.isCompletedExceptionally()) {
      deleteLogs();
    }
  }

  private void deleteLogs() {
    try (Stream<Path> files = Files.list(options.logs())) {
      for (Path file : files.toList()) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(options.logs());
    } catch (IOException e) {
      throw new UncheckedIOException("logs stay in " + options.logs(), e);
    }
  }

  private void stop(Supervisor supervisor) {
    // More than the process grants its requests, so that force is for those that hang.
    supervisor.stop(options.stopGrace().plus(STOP_MARGIN));
  }
}
