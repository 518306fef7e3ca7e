package dev.sluice.app.system;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.util.Durations;
import dev.sluice.client.SluiceClient;
import dev.sluice.v1.DrainWorkerRequest;
import dev.sluice.v1.FleetServiceGrpc;
import dev.sluice.v1.FleetState;
import dev.sluice.v1.FleetWorker;
import dev.sluice.v1.ListWorkersRequest;
import dev.sluice.v1.Load;
import dev.sluice.v1.UndrainWorkerRequest;
import io.grpc.StatusRuntimeException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/**
 * Routers and workers as processes that can be killed, stopped, drained and started again, each on
 * its own port for good.
 *
 * <p>Threading: one thread.
 */
final class ChaosFleet implements AutoCloseable {
  private static final Duration READY_WITHIN = Duration.ofMinutes(4);
  private static final long CALL_SECONDS = 5;

  private final List<Integer> workerPorts;
  private final List<Integer> routerPorts;
  private final List<Sluice> workers = new ArrayList<>();
  private final List<Sluice> routers = new ArrayList<>();
  private final List<SluiceClient> operators = new ArrayList<>(); // one for each router
  private final String stallTimeout;
  private final Map<String, String> environment;
  private final List<String> workerFlags;

  /**
   * Starts all, with the default model; see {@link #awaitReady}.
   *
   * @param stallTimeout after which a router gives up a worker that says nothing
   */
  ChaosFleet(int workers, int routers, Duration stallTimeout) throws Exception {
    this(
        workers,
        routers,
        stallTimeout,
        Map.of(),
        List.of("--quantization=int8", "--server.stop-grace=1s"));
  }

  /**
   * As above.
   *
   * @param environment of all processes, beside this one's
   * @param workerFlags of each worker
   */
  ChaosFleet(
      int workers,
      int routers,
      Duration stallTimeout,
      Map<String, String> environment,
      List<String> workerFlags)
      throws Exception {
    this.environment = environment;
    this.stallTimeout = stallTimeout.toMillis() + "ms";
    this.workerFlags = workerFlags;
    List<Integer> ports = freePorts(workers + routers);
    workerPorts = ports.subList(0, workers);
    routerPorts = ports.subList(workers, ports.size());
    for (int i = 0; i < workers; i++) {
      this.workers.add(startWorker(i));
    }
    for (int i = 0; i < routers; i++) {
      this.routers.add(startRouter(i));
      operators.add(SluiceClient.create("127.0.0.1:" + routerPorts.get(i)));
    }
  }

  private static List<Integer> freePorts(int count) throws Exception {
    List<ServerSocket> sockets = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      sockets.add(new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1")));
    }
    List<Integer> ports = sockets.stream().map(ServerSocket::getLocalPort).toList();
    for (ServerSocket socket : sockets) {
      socket.close();
    }
    return ports;
  }

  private Sluice startWorker(int index) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "worker",
                "--port=" + workerPorts.get(index),
                "--telemetry.metrics-port=0",
                "--worker-id=" + name(index),
                "--threads=1",
                "--memory=1GiB"));
    command.addAll(workerFlags);
    return Sluice.start(environment, command);
  }

  private Sluice startRouter(int index) {
    return Sluice.start(
        environment,
        List.of(
            "router",
            "--port=" + routerPorts.get(index),
            "--http-port=0",
            "--telemetry.metrics-port=0",
            "--fleet.silence-timeout=" + stallTimeout,
            "--fleet.stall-timeout=" + stallTimeout,
            "--workers="
                + String.join(",", workerPorts.stream().map(p -> "127.0.0.1:" + p).toList())));
  }

  private static String name(int worker) {
    return "worker-" + (worker + 1);
  }

  /** All routers, as a client takes them. */
  String targets() {
    return String.join(",", routerPorts.stream().map(p -> "127.0.0.1:" + p).toList());
  }

  /** One router, as a client takes it. */
  String target(int router) {
    return "127.0.0.1:" + routerPorts.get(router);
  }

  int size() {
    return workers.size();
  }

  /** Waits until every router can use every worker. */
  void awaitReady() {
    long deadline = System.nanoTime() + READY_WITHIN.toNanos();
    while (ready().size() < workers.size()) {
      assertThat(System.nanoTime() - deadline).as("time left; ready: " + ready()).isNegative();
      LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
    }
  }

  /** Workers that every router can use; none while a router does not answer. */
  Set<Integer> ready() {
    Set<Integer> ready = new TreeSet<>(IntStream.range(0, workers.size()).boxed().toList());
    for (SluiceClient operator : operators) {
      try {
        List<FleetWorker> known =
            FleetServiceGrpc.newBlockingStub(operator.channel())
                .withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)
                .listWorkers(ListWorkersRequest.getDefaultInstance())
                .getWorkersList();
        ready.removeIf(worker ->
            known.stream()
                .noneMatch(w ->
                    w.getAddress().endsWith(":" + workerPorts.get(worker))
                        && w.getState() == FleetState.FLEET_STATE_READY));
      } catch (StatusRuntimeException e) {
        return Set.of();
      }
    }
    return ready;
  }

  long workerPid(int index) {
    return workers.get(index).pid();
  }

  long routerPid(int index) {
    return routers.get(index).pid();
  }

  /** What a worker last said of its load. */
  Load load(int worker) {
    return FleetServiceGrpc.newBlockingStub(operators.getLast().channel())
        .withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)
        .listWorkers(ListWorkersRequest.getDefaultInstance())
        .getWorkersList()
        .stream()
        .filter(w -> w.getAddress().endsWith(":" + workerPorts.get(worker)))
        .findFirst()
        .orElseThrow()
        .getLoad();
  }

  void killWorker(int index) throws Exception {
    workers.get(index).signal("KILL");
  }

  /** SIGTERM: running requests have the stop grace. */
  void stopWorker(int index) throws Exception {
    workers.get(index).signal("TERM");
  }

  void pauseWorker(int index) throws Exception {
    workers.get(index).signal("STOP");
  }

  void continueWorker(int index) throws Exception {
    workers.get(index).signal("CONT");
  }

  /** Starts a worker whose process ends or has ended. */
  void restartWorker(int index) throws Exception {
    try (Sluice old = workers.get(index)) {
      Sluice.Result _ = old.await();
    }
    workers.set(index, startWorker(index));
  }

  /** Drains through a router; what runs there has a moment. False if the router cannot now. */
  boolean drainWorker(int router, int index) {
    try {
      var _ =
          FleetServiceGrpc.newBlockingStub(operators.get(router).channel())
              .withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)
              .drainWorker(
                  DrainWorkerRequest.newBuilder()
                      .setWorker(name(index))
                      .setGrace(Durations.fromMillis(500))
                      .build());
      return true;
    } catch (StatusRuntimeException e) {
      return false;
    }
  }

  boolean undrainWorker(int router, int index) {
    try {
      var _ =
          FleetServiceGrpc.newBlockingStub(operators.get(router).channel())
              .withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)
              .undrainWorker(UndrainWorkerRequest.newBuilder().setWorker(name(index)).build());
      return true;
    } catch (StatusRuntimeException e) {
      return false;
    }
  }

  /** SIGTERM; when it has ended, a new one in its place. */
  void upgradeRouter(int index) throws Exception {
    try (Sluice old = routers.get(index)) {
      old.signal("TERM");
      Sluice.Result end = old.await();
      assertThat(end.code()).as(end.err()).isZero();
    }
    routers.set(index, startRouter(index));
  }

  /** SIGKILL, and at once a new one in its place. */
  void restartRouter(int index) throws Exception {
    try (Sluice old = routers.get(index)) {
      old.signal("KILL");
      Sluice.Result _ = old.await();
    }
    routers.set(index, startRouter(index));
  }

  @Override
  public void close() {
    operators.forEach(SluiceClient::close);
    routers.forEach(Sluice::close);
    workers.forEach(Sluice::close);
  }
}
