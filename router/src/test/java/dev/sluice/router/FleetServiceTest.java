package dev.sluice.router;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Duration;
import com.google.rpc.ResourceInfo;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.router.testing.Collected;
import dev.sluice.router.testing.Details;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.router.testing.Fleets;
import dev.sluice.v1.DrainWorkerRequest;
import dev.sluice.v1.DrainWorkerResponse;
import dev.sluice.v1.FleetServiceGrpc;
import dev.sluice.v1.FleetState;
import dev.sluice.v1.FleetWorker;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.ListWorkersRequest;
import dev.sluice.v1.UndrainWorkerRequest;
import dev.sluice.v1.WatchFleetRequest;
import dev.sluice.v1.WatchFleetResponse;
import dev.sluice.v1.WatchResponse;
import dev.sluice.v1.WorkerState;
import io.grpc.CallOptions;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What operators, probes and tools see. */
class FleetServiceTest {
  @Test
  void listsWorkers() {
    try (FakeWorker worker = FakeWorker.start("w1");
        RouterFixture router = RouterFixture.over(worker)) {
      List<FleetWorker> workers =
          FleetServiceGrpc.newBlockingStub(router.channel())
              .listWorkers(ListWorkersRequest.getDefaultInstance())
              .getWorkersList();
      assertThat(workers).hasSize(1);
      FleetWorker seen = workers.getFirst();
      assertThat(seen.getAddress()).isEqualTo(worker.address());
      assertThat(seen.getState()).isEqualTo(FleetState.FLEET_STATE_READY);
      assertThat(seen.getIdentity().getWorkerId()).isEqualTo("w1");
      assertThat(seen.getModel().getId()).isEqualTo("m");
      assertThat(seen.getLoad().getKvBlocksTotal()).isEqualTo(100);
    }
  }

  @Test
  void tellsEveryChange() {
    try (FakeWorker worker = FakeWorker.start("w1");
        RouterFixture router = RouterFixture.over(worker)) {
      Collected<WatchFleetResponse> watch =
          Collected.start(
              router.channel(),
              FleetServiceGrpc.getWatchFleetMethod(),
              CallOptions.DEFAULT,
              WatchFleetRequest.getDefaultInstance(),
              Integer.MAX_VALUE);
      awaitState(watch, FleetState.FLEET_STATE_READY);
      worker.watchers().tell(WorkerState.WORKER_STATE_DRAINING);
      awaitState(watch, FleetState.FLEET_STATE_DRAINING);
      worker.kill();
      awaitState(watch, FleetState.FLEET_STATE_SUSPECT);
      watch.cancel();
    }
  }

  private static void awaitState(Collected<WatchFleetResponse> watch, FleetState state) {
    while (watch.next().getWorkers(0).getState() != state) {
      // the fleet is told as often as it changes
    }
  }

  @Test
  void drainsAndTakesBack() {
    try (FakeWorker worker = FakeWorker.start("w1");
        RouterFixture router = RouterFixture.over(worker)) {
      FleetServiceGrpc.FleetServiceBlockingStub operator =
          FleetServiceGrpc.newBlockingStub(router.channel());
      DrainWorkerResponse drained =
          operator.drainWorker(
              DrainWorkerRequest.newBuilder()
                  .setWorker("w1")
                  .setGrace(Duration.newBuilder().setSeconds(9))
                  .build());
      assertThat(drained.getWorker().getState()).isEqualTo(FleetState.FLEET_STATE_DRAINING);
      assertThat(worker.watchers().takeDrain().getGrace().getSeconds()).isEqualTo(9);
      assertThat(router.generate(RouterFixture.prompt("m")).status().getCode())
          .isEqualTo(Status.Code.UNAVAILABLE);

      operator.undrainWorker(UndrainWorkerRequest.newBuilder().setWorker(worker.address()).build());
      Fleets.awaitReady(router.fleet(), 1);
      assertThat(router.generate(RouterFixture.prompt("m")).status().isOk()).isTrue();

      Collected<DrainWorkerResponse> unknown =
          Collected.start(
              router.channel(),
              FleetServiceGrpc.getDrainWorkerMethod(),
              CallOptions.DEFAULT,
              DrainWorkerRequest.newBuilder().setWorker("w7").build(),
              1);
      assertThat(unknown.status().getCode()).isEqualTo(Status.Code.NOT_FOUND);
      assertThat(Details.of(unknown, ResourceInfo.class).getResourceName()).isEqualTo("w7");
    }
  }

  @Test
  void aDrainingWorkerFinishesWhatItHas() {
    try (FakeWorker a = FakeWorker.start("a");
        RouterFixture router = RouterFixture.over(a)) {
      a.script((request, client) -> {
        a.watchers().tell(WorkerState.WORKER_STATE_DRAINING);
        Fleets.awaitReady(router.fleet(), 0);
        a.answer(2).run(request, client);
      });
      Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("m"));
      assertThat(call.status().getCode()).isEqualTo(Status.Code.OK);
    }
  }

  @Test
  void servesOnceAWorkerIsReady() {
    try (FakeWorker worker = FakeWorker.start("w1")) {
      worker.watchers().silent(true);
      try (RouterFixture router =
          RouterFixture.start(RouterFixture.config(worker), Telemetry.noop())) {
        Collected<HealthCheckResponse> health =
            Collected.start(
                router.channel(),
                HealthGrpc.getWatchMethod(),
                CallOptions.DEFAULT,
                HealthCheckRequest.getDefaultInstance(),
                Integer.MAX_VALUE);
        assertThat(health.next().getStatus()).isEqualTo(ServingStatus.NOT_SERVING);
        FakeWorker.Watcher watcher = worker.watchers().next();
        watcher.send(WatchResponse.newBuilder().setSnapshot(worker.snapshot()));
        assertThat(health.next().getStatus()).isEqualTo(ServingStatus.SERVING);
        watcher.send(WatchResponse.newBuilder().setState(WorkerState.WORKER_STATE_DRAINING));
        assertThat(health.next().getStatus()).isEqualTo(ServingStatus.NOT_SERVING);
        health.cancel();
      }
    }
  }

  @Test
  void reflectsItsServicesWithTheirSchemas() {
    try (FakeWorker worker = FakeWorker.start("w1");
        RouterFixture router = RouterFixture.over(worker)) {
      Collected<ServerReflectionResponse> services =
          reflect(router, ServerReflectionRequest.newBuilder().setListServices("*"));
      assertThat(services.next().getListServicesResponse().getServiceList())
          .extracting(s -> s.getName())
          .contains("sluice.v1.GenerationService", "sluice.v1.FleetService");
      Collected<ServerReflectionResponse> schema =
          reflect(
              router,
              ServerReflectionRequest.newBuilder()
                  .setFileContainingSymbol("sluice.v1.GenerationService.Generate"));
      assertThat(schema.next().getFileDescriptorResponse().getFileDescriptorProtoCount())
          .isPositive();
    }
  }

  private static Collected<ServerReflectionResponse> reflect(
      RouterFixture router, ServerReflectionRequest.Builder request) {
    return Collected.start(
        router.channel(),
        ServerReflectionGrpc.getServerReflectionInfoMethod(),
        CallOptions.DEFAULT,
        request.build(),
        Integer.MAX_VALUE);
  }
}
