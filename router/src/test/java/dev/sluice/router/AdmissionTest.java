package dev.sluice.router;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.Statuses;
import dev.sluice.router.admission.AdmissionOptions;
import dev.sluice.router.admission.TenantOptions;
import dev.sluice.router.testing.Answers;
import dev.sluice.router.testing.Collected;
import dev.sluice.router.testing.Details;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.router.testing.Fleets;
import dev.sluice.router.testing.SteppedLoop;
import dev.sluice.v1.GenerateOnceRequest;
import dev.sluice.v1.GenerateOnceResponse;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.Heartbeat;
import dev.sluice.v1.TokenIds;
import io.grpc.CallOptions;
import io.grpc.Status;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What a client sees of limits and of the queue; time is the test's. */
class AdmissionTest {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final AdmissionOptions QUEUE =
      new AdmissionOptions(8, 1_000, TIMEOUT, Duration.ofHours(1), Duration.ofSeconds(10));

  private final SteppedLoop loop = new SteppedLoop();
  private final Semaphore begin = new Semaphore(0); // lets one request begin per permit
  private final FakeWorker worker = FakeWorker.withRoom("w", 1);

  AdmissionTest() {
    worker.script((request, client) -> {
      client.setOnCancelHandler(() -> {});
      try {
        if (!begin.tryAcquire(20, TimeUnit.SECONDS)) {
          throw new AssertionError("nobody lets " + request.getRequestId() + " begin");
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      Answers.stream("w", request, 3).forEach(client::onNext);
      client.onCompleted();
    });
  }

  private RouterFixture router(AdmissionOptions admission, TenantOptions tenants) {
    return RouterFixture.over(loop, admission, tenants, worker);
  }

  private RouterFixture router() {
    return router(QUEUE, TenantOptions.DEFAULTS);
  }

  private static GenerateRequest request(String tenant, String id) {
    return RouterFixture.prompt("m").toBuilder().setTenant(tenant).setRequestId(id).build();
  }

  /** Sends a request, and returns once it waits. */
  private Collected<GenerateResponse> queue(RouterFixture router, GenerateRequest request) {
    Collected<GenerateResponse> call = router.generate(request);
    loop.awaitTimer(TIMEOUT);
    loop.advance(Duration.ofNanos(1)); // the next one's timer will be another
    return call;
  }

  private static String reason(Collected<?> call) {
    assertThat(call.status().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    return Details.of(call, ErrorInfo.class).getReason();
  }

  @Test
  void waitsUntilAWorkerHasRoomInFairOrder() {
    try (worker;
        RouterFixture router =
            router(QUEUE, new TenantOptions(List.of("b=2"), List.of(), List.of()))) {
      Collected<GenerateResponse> first = router.generate(request("a", "a0"));
      assertThat(worker.takeRequest().getRequestId()).isEqualTo("a0");
      List<Collected<GenerateResponse>> waiting =
          List.of(
              queue(router, request("a", "a1")),
              queue(router, request("a", "a2")),
              queue(router, request("b", "b1")),
              queue(router, request("b", "b2")),
              queue(router, request("c", "c1").toBuilder().setPriority(1).build()));
      assertThat(worker.requestCount()).isZero();
      loop.advance(Duration.ofSeconds(3));

      begin.release(6);
      List<String> order =
          IntStream.range(0, 5).mapToObj(i -> worker.takeRequest().getRequestId()).toList();
      assertThat(order).startsWith("c1", "b1").containsSubsequence("b2", "a2");
      assertThat(first.status().isOk()).isTrue();
      for (Collected<GenerateResponse> call : waiting) {
        List<GenerateResponse> messages = call.rest();
        assertThat(call.status().isOk()).isTrue();
        assertThat(messages.getLast().getFinished().getTimings().getAdmissionWaitNanos())
            .isGreaterThanOrEqualTo(Duration.ofSeconds(3).toNanos());
      }
    }
  }

  @Test
  void unaryCallsWaitAsWell() {
    try (worker;
        RouterFixture router = router()) {
      router.generate(request("a", "a0"));
      worker.takeRequest();
      Collected<GenerateOnceResponse> once =
          Collected.start(
              router.channel(),
              GenerationServiceGrpc.getGenerateOnceMethod(),
              CallOptions.DEFAULT,
              GenerateOnceRequest.newBuilder().setRequest(request("a", "a1")).build(),
              1);
      loop.awaitTimer(TIMEOUT);
      begin.release(1);
      assertThat(once.status().isOk()).isTrue();
    }
  }

  @Test
  void refusesWhatWaitedTooLong() {
    try (worker;
        RouterFixture router = router()) {
      router.generate(request("a", "a0"));
      worker.takeRequest();
      Collected<GenerateResponse> late = queue(router, request("a", "a1"));
      loop.advance(TIMEOUT);
      assertThat(reason(late)).isEqualTo("QUEUE_TIMEOUT");
      assertThat(late.trailers().get(Statuses.PUSHBACK)).isNotNull();
      begin.release(1);
      assertThat(worker.requestCount()).isZero();
    }
  }

  @Test
  void refusesAtOnceWhatTheQueueCannotHoldAndLeavesRoomForOtherTenants() {
    AdmissionOptions small =
        new AdmissionOptions(4, 1_000, TIMEOUT, Duration.ofHours(1), Duration.ofSeconds(10));
    try (worker;
        RouterFixture router = router(small, TenantOptions.DEFAULTS)) {
      router.generate(request("a", "a0"));
      worker.takeRequest();
      Collected<GenerateResponse> waits = queue(router, request("a", "a1"));
      queue(router, request("a", "a2"));
      Collected<GenerateResponse> refused = router.generate(request("a", "a3"));
      assertThat(reason(refused)).isEqualTo("QUEUE_FULL");
      assertThat(Details.of(refused, ErrorInfo.class).getMetadataMap())
          .containsEntry("tenant", "a")
          .containsEntry("max_queued_requests", "4");
      assertThat(Details.of(refused, RetryInfo.class).getRetryDelay().getSeconds()).isEqualTo(1);
      queue(router, request("b", "b1"));

      waits.cancel(); // its place is free again
      long limit = System.nanoTime() + 20_000_000_000L;
      Collected<GenerateResponse> next = router.generate(request("b", "b2"));
      while (!loop.isTimerSet(TIMEOUT)) {
        assertThat(System.nanoTime() - limit).isNegative();
        if (next.isOver()) {
          assertThat(reason(next)).isEqualTo("QUEUE_FULL");
          next = router.generate(request("b", "b2"));
        }
        Thread.onSpinWait();
      }
      begin.release(4);
    }
  }

  @Test
  void aDeadlineThatPassesInTheQueueEndsTheWait() {
    try (worker;
        RouterFixture router = router()) {
      router.generate(request("a", "a0"));
      worker.takeRequest();
      Collected<GenerateResponse> call =
          router.generate(
              request("a", "a1"),
              CallOptions.DEFAULT.withDeadlineAfter(50, TimeUnit.MILLISECONDS),
              1);
      assertThat(call.status().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
      begin.release(1);
    }
  }

  @Test
  void whoWaitsLearnsThatTheWorkersAreGone() {
    try (worker;
        RouterFixture router = router()) {
      router.generate(request("a", "a0"));
      worker.takeRequest();
      Collected<GenerateResponse> call = queue(router, request("b", "b1"));
      worker.kill();
      assertThat(call.status().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      begin.release(1);
    }
  }

  @Test
  void holdsTenantsToTheirRequestsPerMinute() {
    TenantOptions limits = new TenantOptions(List.of(), List.of("a=12"), List.of());
    begin.release(100);
    try (worker;
        RouterFixture router = router(QUEUE, limits)) {
      assertThat(router.generate(request("a", "a0")).status().isOk()).isTrue();
      assertThat(router.generate(request("a", "a1")).status().isOk()).isTrue();
      Collected<GenerateResponse> refused = router.generate(request("a", "a2"));
      assertThat(reason(refused)).isEqualTo("REQUEST_RATE_LIMIT");
      assertThat(Details.of(refused, ErrorInfo.class).getMetadataMap())
          .containsEntry("tenant", "a")
          .containsEntry("limit", "12 requests per minute");
      assertThat(router.generate(request("b", "b0")).status().isOk()).isTrue();
      loop.advance(Duration.ofSeconds(10));
      assertThat(router.generate(request("a", "a3")).status().isOk()).isTrue();
    }
  }

  @Test
  void sharesTheLimitsWithTheOtherRoutersThatTheWorkersSee() {
    TenantOptions limits = new TenantOptions(List.of(), List.of("a=12"), List.of());
    begin.release(100);
    try (worker;
        RouterFixture router = router(QUEUE, limits)) {
      worker.watchers().tell(Heartbeat.newBuilder().setRouters(2).build());
      Fleets.await(router.fleet(), fleet -> fleet.routers() == 2);
      assertThat(router.generate(request("a", "a0")).status().isOk()).isTrue();
      Collected<GenerateResponse> refused = router.generate(request("a", "a1"));
      assertThat(reason(refused)).isEqualTo("REQUEST_RATE_LIMIT");
      assertThat(Details.of(refused, ErrorInfo.class).getMetadataMap())
          .containsEntry("routers", "2");
    }
  }

  private static FakeWorker.Script busy(String reason) {
    return (request, client) ->
        client.onError(
            Statuses.toException(
                new Refusal.Overloaded(reason, "not now", Duration.ofSeconds(3), Map.of())));
  }

  @Test
  void asksAgainWhereAWorkerSaysThatItIsFull() {
    try (worker;
        RouterFixture router = router()) {
      worker.script(busy("QUEUE_FULL"));
      Collected<GenerateResponse> call = router.generate(request("a", "a0"));
      loop.awaitTimer(Duration.ofMillis(100));
      worker.script(worker.answer(3));
      loop.advance(Duration.ofMillis(100));
      assertThat(call.status().isOk()).isTrue();
      assertThat(worker.requestCount()).isEqualTo(2);
    }
  }

  @Test
  void passesOnAtOnceThatAWorkerPredictsToBeLate() {
    try (worker;
        RouterFixture router = router()) {
      worker.script(busy("TTFT_TARGET"));
      assertThat(reason(router.generate(request("a", "a0")))).isEqualTo("TTFT_TARGET");
      assertThat(worker.requestCount()).isEqualTo(1);
    }
  }

  @Test
  void holdsTenantsToTheirTokensPerMinuteOutputIncluded() {
    TenantOptions limits = new TenantOptions(List.of(), List.of(), List.of("*=24"));
    begin.release(100);
    try (worker;
        RouterFixture router = router(QUEUE, limits)) {
      // 4 tokens are there; the prompt takes 2 or 1, the answer 3.
      assertThat(router.generate(request("a", "a0")).status().isOk()).isTrue();
      Collected<GenerateResponse> refused = router.generate(request("a", "a1"));
      assertThat(reason(refused)).isEqualTo("TOKEN_RATE_LIMIT");
      assertThat(Long.parseLong(refused.trailers().get(Statuses.PUSHBACK))).isBetween(1L, 5_000L);
      loop.advance(Duration.ofSeconds(5));
      assertThat(router.generate(request("a", "a2")).status().isOk()).isTrue();
    }
  }

  @Test
  void refusesWhatIsPredictedToComeTooLate() {
    try (worker;
        RouterFixture router = router()) {
      for (int i = 0; i < 4; i++) {
        Collected<GenerateResponse> call = router.generate(request("a", "a" + i));
        worker.takeRequest();
        loop.advance(Duration.ofSeconds(2));
        begin.release(1);
        assertThat(call.status().isOk()).isTrue();
      }
      GenerateRequest hasty =
          request("a", "hasty").toBuilder()
              .setTtftTarget(com.google.protobuf.Duration.newBuilder().setNanos(100_000_000))
              .build();
      Collected<GenerateResponse> refused = router.generate(hasty);
      assertThat(reason(refused)).isEqualTo("TTFT_TARGET");
      assertThat(Details.of(refused, ErrorInfo.class).getMetadataMap())
          .containsEntry("predicted_ms", "2000")
          .containsEntry("limit_ms", "100");
      Collected<GenerateResponse> hopeless =
          router.generate(
              request("a", "hopeless"),
              CallOptions.DEFAULT.withDeadlineAfter(1, TimeUnit.SECONDS),
              1);
      assertThat(reason(hopeless)).isEqualTo("DEADLINE");
      assertThat(worker.requestCount()).isZero();

      // longer than the context: that is wrong with it, not that it would take long
      Collected<GenerateResponse> tooLong =
          router.generate(
              request("a", "long").toBuilder()
                  .setTokenIds(TokenIds.newBuilder().addAllIds(Collections.nCopies(3_000, 1)))
                  .build(),
              CallOptions.DEFAULT.withDeadlineAfter(30, TimeUnit.SECONDS),
              100);
      assertThat(worker.takeRequest().getRequestId()).isEqualTo("long");
      begin.release(1);
      assertThat(tooLong.status().isOk()).isTrue(); // this fake takes anything

      loop.advance(Duration.ofSeconds(30)); // it may have become better: one may find out
      begin.release(1);
      assertThat(router.generate(hasty).status().isOk()).isTrue();
    }
  }

  @Test
  void refusesPrioritiesAndTargetsThatDoNotExist() {
    try (worker;
        RouterFixture router = router()) {
      Collected<GenerateResponse> call =
          router.generate(
              request("x".repeat(129), "a").toBuilder()
                  .setPriority(101)
                  .setTtftTarget(com.google.protobuf.Duration.newBuilder().setSeconds(-1))
                  .build());
      assertThat(call.status().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
      assertThat(call.status().getDescription())
          .contains("priority: 101 (expected: -100 to 100)")
          .contains("ttft_target: -1.000000000 s (expected: above 0)")
          .contains("tenant: 129 characters (expected: at most 128)");
    }
  }
}
