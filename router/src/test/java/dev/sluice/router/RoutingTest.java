package dev.sluice.router;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.ResourceInfo;
import com.google.rpc.RetryInfo;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.router.proxy.ProxyOptions;
import dev.sluice.router.testing.Answers;
import dev.sluice.router.testing.Collected;
import dev.sluice.router.testing.Details;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.router.testing.Fleets;
import dev.sluice.v1.DetokenizeRequest;
import dev.sluice.v1.GenerateOnceRequest;
import dev.sluice.v1.GenerateOnceResponse;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.ListModelsRequest;
import dev.sluice.v1.Model;
import dev.sluice.v1.RouterHop;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.TokenizeRequest;
import dev.sluice.v1.WorkerState;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Requests reach the right worker, and its answer comes back as it was sent. */
class RoutingTest {
  @Test
  void passesMessagesOnByteForByteAndRewritesOnlyTheEnd() {
    try (FakeWorker worker = FakeWorker.start("w1");
        RouterFixture router = RouterFixture.over(worker)) {
      Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("m"));

      List<GenerateResponse> received = call.rest();
      List<GenerateResponse> sent = Answers.stream("w1", worker.takeRequest(), 3);

      assertThat(call.status().getCode()).isEqualTo(Status.Code.OK);
      assertThat(received).hasSameSizeAs(sent);
      for (int i = 0; i < sent.size() - 1; i++) {
        assertThat(received.get(i).toByteArray()).isEqualTo(sent.get(i).toByteArray());
      }
      assertThat(received.getLast().getFinished().getTimings().getAttempts()).isEqualTo(1);
      assertThat(received.getLast().getFinished().getTimings().getAdmissionWaitNanos())
          .isPositive();
      assertThat(received.getLast().getFinished().getTimings().getTtftNanos()).isEqualTo(22);
      assertThat(received.getLast().getFinished().getUsage())
          .isEqualTo(sent.getLast().getFinished().getUsage());
      assertThat(received.getLast().getSequence()).isEqualTo(sent.getLast().getSequence());
    }
  }

  @Test
  void completesTheRequestForTheWorker() {
    try (FakeWorker worker = FakeWorker.start("w1");
        RouterFixture router = RouterFixture.over(worker)) {
      assertThat(router.generate(RouterFixture.prompt("m")).status().isOk()).isTrue();
      GenerateRequest completed = worker.takeRequest();
      assertThat(completed.getRequestId()).startsWith("req-");
      assertThat(completed.getHop().hasSeed()).isTrue();
      assertThat(completed.getHop().getAttempt()).isEqualTo(1);
      assertThat(completed.getText()).isEqualTo("hello");

      GenerateRequest own =
          RouterFixture.prompt("m").toBuilder()
              .setRequestId("mine")
              .setSampling(Sampling.newBuilder().setSeed(5))
              .build();
      assertThat(router.generate(own).status().isOk()).isTrue();
      GenerateRequest kept = worker.takeRequest();
      assertThat(kept.getRequestId()).isEqualTo("mine");
      assertThat(kept.getHop().hasSeed()).isFalse();
    }
  }

  @Test
  void spreadsRequestsOverIdleWorkers() {
    try (FakeWorker a = FakeWorker.start("a");
        FakeWorker b = FakeWorker.start("b");
        RouterFixture router = RouterFixture.over(a, b)) {
      Set<String> used = new TreeSet<>();
      for (int i = 0; i < 4; i++) {
        used.add(RouterFixture.workerOf(router.generate(RouterFixture.prompt("")).rest()));
      }
      assertThat(used).containsExactly("a", "b");
    }
  }

  @Test
  void sendsToTheModelNamedByIdOrAlias() {
    try (FakeWorker a = FakeWorker.serving("a", FakeWorker.model("m1"), 0);
        FakeWorker b = FakeWorker.serving("b", FakeWorker.model("m2"), 0);
        RouterFixture router = RouterFixture.over(a, b)) {
      for (int i = 0; i < 3; i++) {
        assertThat(RouterFixture.workerOf(router.generate(RouterFixture.prompt("m2")).rest()))
            .isEqualTo("b");
        assertThat(
                RouterFixture.workerOf(router.generate(RouterFixture.prompt("alias-of-m1")).rest()))
            .isEqualTo("a");
      }
      Collected<GenerateResponse> unnamed = router.generate(RouterFixture.prompt(""));
      assertThat(unnamed.status().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
      assertThat(Details.of(unnamed, BadRequest.class).getFieldViolations(0).getField())
          .isEqualTo("model");
    }
  }

  @Test
  void refusesAnUnknownModelByName() {
    try (FakeWorker worker = FakeWorker.start("w1");
        RouterFixture router = RouterFixture.over(worker)) {
      Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("other"));
      assertThat(call.status().getCode()).isEqualTo(Status.Code.NOT_FOUND);
      assertThat(call.status().getDescription()).contains("other").contains("[m]");
      assertThat(Details.of(call, ResourceInfo.class).getResourceName()).isEqualTo("other");
      assertThat(worker.requestCount()).isZero();
    }
  }

  @Test
  void refusesWhatOnlyRoutersMaySend() {
    try (FakeWorker worker = FakeWorker.start("w1");
        RouterFixture router = RouterFixture.over(worker)) {
      GenerateRequest request =
          RouterFixture.prompt("m").toBuilder()
              .setHop(RouterHop.newBuilder().setAttempt(1))
              .setRequestId("x".repeat(129))
              .build();
      Collected<GenerateResponse> call = router.generate(request);
      assertThat(call.status().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
      assertThat(Details.of(call, BadRequest.class).getFieldViolationsList())
          .extracting(BadRequest.FieldViolation::getField)
          .containsExactly("hop", "request_id");
      assertThat(worker.requestCount()).isZero();
    }
  }

  @Test
  void refusesAtOnceIfNobodyIsReadyNorJoining() {
    try (FakeWorker worker = FakeWorker.start("w1");
        RouterFixture router = RouterFixture.over(worker)) {
      worker.watchers().tell(WorkerState.WORKER_STATE_DRAINING);
      Fleets.awaitReady(router.fleet(), 0);

      Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("m"));
      assertThat(call.status().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(Details.of(call, RetryInfo.class).getRetryDelay().getSeconds()).isPositive();
      assertThat(Details.of(call, ErrorInfo.class).getReason()).isEqualTo("NO_WORKER");

      worker.watchers().tell(WorkerState.WORKER_STATE_READY);
      Fleets.awaitReady(router.fleet(), 1);
      assertThat(router.generate(RouterFixture.prompt("m")).status().isOk()).isTrue();
    }
  }

  @Test
  void waitsForAWorkerThatIsJoining() {
    try (FakeWorker worker = FakeWorker.start("w1")) {
      worker.watchers().silent(true);
      ProxyOptions patient = RouterFixture.proxy(4, Duration.ofSeconds(30));
      try (RouterFixture router =
          RouterFixture.start(new TestConfig(worker).proxy(patient).build(), Telemetry.noop())) {
        FakeWorker.Watcher watcher = worker.watchers().next();
        Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("m"));
        Collected<GenerateResponse> hangsUp = router.generate(RouterFixture.prompt("m"));
        hangsUp.cancel();
        assertThat(hangsUp.status().getCode()).isEqualTo(Status.Code.CANCELLED);
        watcher.send(
            dev.sluice.v1.WatchResponse.newBuilder().setSnapshot(worker.snapshot().build()));
        assertThat(call.status().getCode()).isEqualTo(Status.Code.OK);
      }
    }
  }

  @Test
  void waitsNoLongerThanTheJoinTimeout() {
    try (FakeWorker worker = FakeWorker.start("w1")) {
      worker.watchers().silent(true);
      ProxyOptions brief = RouterFixture.proxy(4, Duration.ofMillis(50));
      try (RouterFixture router =
          RouterFixture.start(new TestConfig(worker).proxy(brief).build(), Telemetry.noop())) {
        Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("m"));
        assertThat(call.status().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(Details.of(call, RetryInfo.class).getRetryDelay().getSeconds()).isPositive();
      }
    }
  }

  @Test
  void passesUnaryCallsOn() {
    try (FakeWorker worker = FakeWorker.start("w1");
        RouterFixture router = RouterFixture.over(worker)) {
      GenerationServiceGrpc.GenerationServiceBlockingStub stub =
          GenerationServiceGrpc.newBlockingStub(router.channel());

      GenerateOnceResponse once =
          stub.generateOnce(
              GenerateOnceRequest.newBuilder().setRequest(RouterFixture.prompt("m")).build());
      assertThat(once.getResult().getStarted().getWorkerId()).isEqualTo("w1");
      assertThat(once.getResult().getFinished().getTimings().getAttempts()).isEqualTo(1);
      assertThat(worker.takeRequest().getHop().getAttempt()).isEqualTo(1);

      assertThat(stub.tokenize(TokenizeRequest.newBuilder().setText("x").build()).getTokenIdsList())
          .containsExactly(7);
      assertThat(stub.detokenize(DetokenizeRequest.newBuilder().setModel("m").build()).getText())
          .isEqualTo("of w1");
    }
  }

  @Test
  void listsTheModelsOfTheFleet() {
    try (FakeWorker a = FakeWorker.serving("a", FakeWorker.model("m1"), 0);
        FakeWorker b = FakeWorker.serving("b", FakeWorker.model("m2"), 0);
        FakeWorker c = FakeWorker.serving("c", FakeWorker.model("m2"), 0);
        RouterFixture router = RouterFixture.over(a, b, c)) {
      List<Model> models =
          GenerationServiceGrpc.newBlockingStub(router.channel())
              .listModels(ListModelsRequest.getDefaultInstance())
              .getModelsList();
      assertThat(models).extracting(Model::getId).containsExactly("m1", "m2");
      assertThat(models.getFirst()).isEqualTo(FakeWorker.model("m1"));
    }
  }
}
