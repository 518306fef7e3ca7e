package dev.sluice.router.service;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.Statuses;
import dev.sluice.router.fleet.Fleet;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.v1.DrainRequest;
import dev.sluice.v1.DrainResponse;
import dev.sluice.v1.DrainWorkerRequest;
import dev.sluice.v1.DrainWorkerResponse;
import dev.sluice.v1.FleetServiceGrpc;
import dev.sluice.v1.FleetWorker;
import dev.sluice.v1.ListWorkersRequest;
import dev.sluice.v1.ListWorkersResponse;
import dev.sluice.v1.UndrainRequest;
import dev.sluice.v1.UndrainResponse;
import dev.sluice.v1.UndrainWorkerRequest;
import dev.sluice.v1.UndrainWorkerResponse;
import dev.sluice.v1.WatchFleetRequest;
import dev.sluice.v1.WatchFleetResponse;
import dev.sluice.v1.WorkerServiceGrpc;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** What operators see of the fleet and do to it. Threading: any thread. */
public final class FleetGrpcService extends FleetServiceGrpc.FleetServiceImplBase {
  private static final Duration WORKER_ANSWER_LIMIT = Duration.ofSeconds(10);

  private final Fleet fleet;

  public FleetGrpcService(Fleet fleet) {
    this.fleet = fleet;
  }

  @Override
  public void listWorkers(
      ListWorkersRequest request, StreamObserver<ListWorkersResponse> observer) {
    observer.onNext(
        ListWorkersResponse.newBuilder()
            .addAllWorkers(FleetMessages.workers(fleet.snapshot()))
            .build());
    observer.onCompleted();
  }

  @Override
  public void watchFleet(WatchFleetRequest request, StreamObserver<WatchFleetResponse> observer) {
    new FleetWatcher(fleet, (ServerCallStreamObserver<WatchFleetResponse>) observer).start();
  }

  /** The worker gets nothing more from this router at once, and drains for all others as well. */
  @Override
  public void drainWorker(
      DrainWorkerRequest request, StreamObserver<DrainWorkerResponse> observer) {
    Optional<WorkerView> worker = find(request.getWorker(), observer);
    if (worker.isEmpty()) {
      return;
    }
    fleet.cordon(worker.get().address(), true);
    DrainRequest.Builder drain = DrainRequest.newBuilder();
    if (request.hasGrace()) {
      drain.setGrace(request.getGrace());
    }
    stub(worker.get())
        .drain(
            drain.build(),
            new Relay<DrainResponse, DrainWorkerResponse>(observer) {
              @Override
              DrainWorkerResponse answer() {
                return DrainWorkerResponse.newBuilder().setWorker(now(worker.get())).build();
              }
            });
  }

  @Override
  public void undrainWorker(
      UndrainWorkerRequest request, StreamObserver<UndrainWorkerResponse> observer) {
    Optional<WorkerView> worker = find(request.getWorker(), observer);
    if (worker.isEmpty()) {
      return;
    }
    fleet.cordon(worker.get().address(), false);
    stub(worker.get())
        .undrain(
            UndrainRequest.getDefaultInstance(),
            new Relay<UndrainResponse, UndrainWorkerResponse>(observer) {
              @Override
              UndrainWorkerResponse answer() {
                return UndrainWorkerResponse.newBuilder().setWorker(now(worker.get())).build();
              }
            });
  }

  private static WorkerServiceGrpc.WorkerServiceStub stub(WorkerView worker) {
    return WorkerServiceGrpc.newStub(worker.link().channel())
        .withDeadlineAfter(WORKER_ANSWER_LIMIT.toNanos(), TimeUnit.NANOSECONDS);
  }

  private Optional<WorkerView> find(String name, StreamObserver<?> observer) {
    Optional<WorkerView> worker = fleet.find(name);
    if (worker.isEmpty()) {
      observer.onError(
          Statuses.toException(
              new Refusal.NotFound(
                  "worker", name, "worker: \"" + name + "\" (expected: an id or address of one)")));
    }
    return worker;
  }

  private FleetWorker now(WorkerView earlier) {
    return FleetMessages.worker(fleet.find(earlier.address().toString()).orElse(earlier));
  }

  /** Answers an operator once the worker has answered; a worker's refusal is passed through. */
  private abstract static class Relay<W, A> implements StreamObserver<W> {
    private final StreamObserver<A> operator;

    Relay(StreamObserver<A> operator) {
      this.operator = operator;
    }

    abstract A answer();

    @Override
    public void onNext(W value) {
      // the answer is the worker as the fleet sees it
    }

    @Override
    public void onError(Throwable failure) {
      operator.onError(failure);
    }

    @Override
    public void onCompleted() {
      operator.onNext(answer());
      operator.onCompleted();
    }
  }
}
