package dev.sluice.router;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.ErrorInfo;
import com.google.rpc.RequestInfo;
import com.google.rpc.RetryInfo;
import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.Statuses;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.router.proxy.ProxyOptions;
import dev.sluice.router.testing.Answers;
import dev.sluice.router.testing.Collected;
import dev.sluice.router.testing.Details;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.router.testing.Fleets;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Load;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a client sees of workers that fail. */
class FailoverTest {
  /** Makes {@code other} look busy, so that {@code first} is chosen. */
  private static void prefer(RouterFixture router, FakeWorker other) {
    other.watchers().tell(Load.newBuilder().setRunningRequests(50).build());
    Fleets.await(
        router.fleet(), s -> s.workers().stream().anyMatch(w -> w.foreignRequests() == 50));
  }

  private static FakeWorker.Script fail(Status status) {
    return (request, client) -> client.onError(status.asRuntimeException());
  }

  @Test
  void aWorkerThatDiesBeforeItsFirstTokenIsNotSeen() {
    try (FakeWorker dying = FakeWorker.start("dying");
        FakeWorker other = FakeWorker.start("other");
        RouterFixture router = RouterFixture.over(dying, other)) {
      prefer(router, other);
      dying.script((request, client) -> {}); // takes it, and says nothing

      Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("m"));
      GenerateRequest first = dying.takeRequest();
      dying.kill();

      List<GenerateResponse> received = call.rest();
      assertThat(call.status().getCode()).isEqualTo(Status.Code.OK);
      assertThat(RouterFixture.workerOf(received)).isEqualTo("other");
      assertThat(received.getLast().getFinished().getTimings().getAttempts()).isEqualTo(2);
      GenerateRequest second = other.takeRequest();
      assertThat(second.getHop().getAttempt()).isEqualTo(2);
      assertThat(second.getHop().getSeed()).isEqualTo(first.getHop().getSeed());
      assertThat(second.getRequestId()).isEqualTo(first.getRequestId());
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Status.Code.class,
      names = {"UNAVAILABLE", "INTERNAL", "UNKNOWN", "RESOURCE_EXHAUSTED"})
  void triesAnotherWorkerAtOnce(Status.Code code) {
    try (FakeWorker failing = FakeWorker.start("failing");
        FakeWorker other = FakeWorker.start("other");
        RouterFixture router = RouterFixture.over(failing, other)) {
      prefer(router, other);
      failing.script(fail(code.toStatus().withDescription("no")));

      Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("m"));
      assertThat(RouterFixture.workerOf(call.rest())).isEqualTo("other");
      assertThat(failing.requestCount()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Status.Code.class,
      names = {"UNAUTHENTICATED", "PERMISSION_DENIED"})
  void aWorkerThatDoesNotLetTheRouterInIsAwayForTheClient(Status.Code code) {
    try (FakeWorker locked = FakeWorker.start("locked");
        FakeWorker other = FakeWorker.start("other");
        RouterFixture router = RouterFixture.over(locked, other)) {
      prefer(router, other);
      locked.script(fail(code.toStatus().withDescription("key: unknown")));
      other.script(fail(code.toStatus().withDescription("key: unknown")));

      Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("m"));
      assertThat(call.rest()).isEmpty();
      assertThat(call.status().getCode()).as("not the client's").isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(call.status().getDescription())
          .contains("does not let this router in", "key: unknown");
      assertThat(locked.requestCount() + other.requestCount()).isEqualTo(2);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Status.Code.class,
      names = {
        "INVALID_ARGUMENT",
        "NOT_FOUND",
        "UNIMPLEMENTED",
        "FAILED_PRECONDITION",
        "DEADLINE_EXCEEDED"
      })
  void passesOnWhatEveryWorkerWouldSay(Status.Code code) {
    try (FakeWorker refusing = FakeWorker.start("refusing");
        FakeWorker other = FakeWorker.start("other");
        RouterFixture router = RouterFixture.over(refusing, other)) {
      prefer(router, other);
      refusing.script(fail(code.toStatus().withDescription("because")));

      Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("m"));
      assertThat(call.rest()).isEmpty();
      assertThat(call.status().getCode()).isEqualTo(code);
      assertThat(call.status().getDescription()).isEqualTo("because");
      assertThat(other.requestCount()).isZero();
    }
  }

  @Test
  void passesOnThatAWorkerCancelled() {
    try (FakeWorker refusing = FakeWorker.start("refusing");
        FakeWorker other = FakeWorker.start("other");
        RouterFixture router = RouterFixture.over(refusing, other)) {
      prefer(router, other);
      refusing.script((request, client) ->
          client.onError(Statuses.toException(new Refusal.Cancelled("by an operator"))));
      Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("m"));
      assertThat(call.status().getCode()).isEqualTo(Status.Code.CANCELLED);
      assertThat(call.status().getDescription()).isEqualTo("by an operator");
      assertThat(other.requestCount()).isZero();
    }
  }

  @Test
  void passesDetailsAndUsageOn() {
    Metadata.Key<byte[]> usage =
        Metadata.Key.of("sluice-usage-bin", Metadata.BINARY_BYTE_MARSHALLER);
    try (FakeWorker worker = FakeWorker.start("w1");
        RouterFixture router = RouterFixture.over(worker)) {
      worker.script((request, client) -> {
        var refusal =
            Statuses.toException(
                new Refusal.Unserviceable("TOO_LONG", "too long", Map.of("max", "9")));
        Metadata trailers = Objects.requireNonNull(refusal.getTrailers());
        trailers.put(usage, new byte[] {8, 3});
        client.onError(refusal);
      });
      Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("m"));
      assertThat(call.status().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
      ErrorInfo info = Details.of(call, ErrorInfo.class);
      assertThat(info.getReason()).isEqualTo("TOO_LONG");
      assertThat(info.getMetadataMap()).containsEntry("max", "9");
      assertThat(call.trailers().get(usage)).containsExactly(8, 3);
    }
  }

  @Test
  void tellsTheLastRefusalIfAllAreFull() {
    try (FakeWorker a = FakeWorker.start("a");
        FakeWorker b = FakeWorker.start("b");
        FakeWorker broken = FakeWorker.start("broken");
        RouterFixture router = RouterFixture.over(a, b, broken)) {
      FakeWorker.Script full =
          (request, client) ->
              client.onError(
                  Statuses.toException(
                      new Refusal.Overloaded(
                          "QUEUE_FULL", "queue full", Duration.ofSeconds(3), Map.of())));
      a.script(full);
      b.script(full);
      broken.script(fail(Status.INTERNAL));

      Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("m"));
      assertThat(call.status().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      assertThat(Details.of(call, ErrorInfo.class).getReason()).isEqualTo("QUEUE_FULL");
      assertThat(Details.of(call, RetryInfo.class).getRetryDelay().getSeconds()).isEqualTo(3);
      assertThat(call.trailers().get(Statuses.PUSHBACK)).isEqualTo("3000");
      assertThat(List.of(a.requestCount(), b.requestCount(), broken.requestCount()))
          .containsExactly(1, 1, 1);
    }
  }

  @Test
  void neverTriesMoreWorkersThanAllowed() {
    try (FakeWorker a = FakeWorker.start("a");
        FakeWorker b = FakeWorker.start("b");
        FakeWorker c = FakeWorker.start("c")) {
      List<FakeWorker> workers = List.of(a, b, c);
      workers.forEach(w -> w.script(fail(Status.UNAVAILABLE)));
      ProxyOptions two = RouterFixture.proxy(2, Duration.ZERO);
      try (RouterFixture router =
          RouterFixture.start(new TestConfig(a, b, c).proxy(two).build(), Telemetry.noop())) {
        Fleets.awaitReady(router.fleet(), 3);
        Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("m"));
        assertThat(call.status().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(Details.of(call, ErrorInfo.class).getReason()).isEqualTo("NO_WORKER");
        assertThat(workers.stream().mapToInt(FakeWorker::requestCount).sum()).isEqualTo(2);
        assertThat(workers).allMatch(w -> w.requestCount() <= 1);
      }
    }
  }

  @Test
  void anEngineFaultEverywhereStaysOne() {
    try (FakeWorker worker = FakeWorker.start("w1");
        RouterFixture router = RouterFixture.over(worker)) {
      worker.script((request, client) ->
          client.onError(
              Statuses.toException(new Refusal.Internal(request.getRequestId(), "fault"))));
      Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("m"));
      assertThat(call.status().getCode()).isEqualTo(Status.Code.INTERNAL);
      assertThat(Details.of(call, RequestInfo.class).getRequestId()).startsWith("req-");
    }
  }

  @Test
  void aDeathInMidStreamIsToldWithItsReason() {
    try (FakeWorker dying = FakeWorker.start("dying");
        FakeWorker other = FakeWorker.start("other");
        RouterFixture router = RouterFixture.over(dying, other)) {
      prefer(router, other);
      dying.script((request, client) -> {
        client.onNext(Answers.started("dying", request));
        client.onNext(Answers.delta(2, "half "));
      });
      Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("m"));
      assertThat(call.next().hasStarted()).isTrue();
      assertThat(call.next().getDelta().getText()).isEqualTo("half ");
      dying.kill();

      assertThat(call.status().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(call.status().getDescription()).contains("dying").contains("after message 2");
      assertThat(Details.of(call, ErrorInfo.class).getReason()).isEqualTo("WORKER_LOST");
      assertThat(other.requestCount()).isZero();
    }
  }

  @Test
  void aWorkersOwnReasonInMidStreamIsKept() {
    try (FakeWorker worker = FakeWorker.start("w1");
        RouterFixture router = RouterFixture.over(worker)) {
      worker.script((request, client) -> {
        client.onNext(Answers.started("w1", request));
        client.onError(
            Statuses.toException(
                new Refusal.Unavailable("DRAINING", "drains", Duration.ofSeconds(2))));
      });
      Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("m"));
      assertThat(call.status().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(Details.of(call, ErrorInfo.class).getReason()).isEqualTo("DRAINING");
    }
  }

  @Test
  void aStreamThatIsNotOneIsAFailure() {
    try (FakeWorker wrong = FakeWorker.start("wrong");
        FakeWorker other = FakeWorker.start("other");
        RouterFixture router = RouterFixture.over(wrong, other)) {
      prefer(router, other);
      // nothing but OK; a first message out of sequence
      for (FakeWorker.Script script :
          List.<FakeWorker.Script>of(
              (request, client) -> client.onCompleted(),
              (request, client) -> client.onNext(Answers.delta(7, "x")))) {
        wrong.script(script);
        Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("m"));
        assertThat(RouterFixture.workerOf(call.rest())).isEqualTo("other");
      }
      // the end is missing
      wrong.script((request, client) -> {
        client.onNext(Answers.started("wrong", request));
        client.onCompleted();
      });
      Collected<GenerateResponse> cut = router.generate(RouterFixture.prompt("m"));
      assertThat(cut.status().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      // a gap
      wrong.script(FailoverTest::gap);
      Collected<GenerateResponse> gap = router.generate(RouterFixture.prompt("m"));
      assertThat(gap.rest()).hasSize(1);
      assertThat(gap.status().getDescription()).contains("message 3 (expected: 2");
    }
  }

  private static void gap(
      GenerateRequest request, ServerCallStreamObserver<GenerateResponse> client) {
    client.onNext(Answers.started("wrong", request));
    client.onNext(Answers.delta(3, "x"));
  }

  @Test
  void aRestartedWorkerIsUsedAgain() {
    FakeWorker first = FakeWorker.start("w1");
    int port = first.port();
    try (RouterFixture router = RouterFixture.over(first)) {
      first.kill();
      Fleets.awaitReady(router.fleet(), 0);
      assertThat(router.generate(RouterFixture.prompt("m")).status().getCode())
          .isEqualTo(Status.Code.UNAVAILABLE);
      try (FakeWorker again = FakeWorker.serving("w1", FakeWorker.model("m"), port)) {
        Fleets.awaitReady(router.fleet(), 1);
        assertThat(router.generate(RouterFixture.prompt("m")).status().isOk()).isTrue();
        assertThat(again.takeRequest().getText()).isEqualTo("hello");
      }
    }
  }
}
