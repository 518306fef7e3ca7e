package dev.sluice.router;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.ErrorInfo;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.router.testing.Answers;
import dev.sluice.router.testing.Collected;
import dev.sluice.router.testing.Details;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.router.testing.Fleets;
import dev.sluice.v1.GenerateResponse;
import io.grpc.CallOptions;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Flow control, cancellation, deadlines, stopping, and many streams at once. */
@Timeout(120)
class StreamingTest {
  private static final String KIB = "x".repeat(1024);

  @Test
  void aSlowClientStopsTheWorker() throws Exception {
    try (FakeWorker worker = FakeWorker.start("w1");
        RouterFixture router = RouterFixture.over(worker)) {
      int total = 4_000; // about 4 MiB
      CountDownLatch stalled = new CountDownLatch(1);
      AtomicInteger sent = new AtomicInteger();
      worker.script((request, client) -> {
        Runnable pump =
            () -> {
              while (client.isReady() && sent.get() <= total) {
                int sequence = sent.incrementAndGet();
                if (sequence == 1) {
                  client.onNext(Answers.started("w1", request));
                } else if (sequence <= total) {
                  client.onNext(Answers.delta(sequence, KIB));
                } else {
                  client.onNext(Answers.finished(sequence, total - 1));
                  client.onCompleted();
                  return;
                }
              }
              stalled.countDown(); // not ready: everything on the way is full
            };
        client.setOnReadyHandler(pump);
        pump.run();
      });

      Collected<GenerateResponse> call =
          router.generate(RouterFixture.prompt("m"), CallOptions.DEFAULT, 1);
      assertThat(call.next().hasStarted()).isTrue();
      assertThat(stalled.await(30, TimeUnit.SECONDS)).isTrue();
      // Two hops, each with a 16 KiB window, grpc-java's 32 KiB, and 8 messages asked for ahead,
      // and a socket's buffers: far from the 4 MiB that the worker would like to send.
      assertThat(sent.get()).isLessThan(total / 4);

      call.request(Integer.MAX_VALUE);
      List<GenerateResponse> rest = call.rest();
      assertThat(call.status().isOk()).isTrue();
      assertThat(rest).hasSize(total);
      assertThat(rest.getLast().getSequence()).isEqualTo(total + 1);
    }
  }

  @Test
  void oneStalledClientHoldsNobodyUp() {
    try (FakeWorker worker = FakeWorker.start("w1");
        RouterFixture router = RouterFixture.over(worker)) {
      worker.script((request, client) -> {
        client.onNext(Answers.started("w1", request));
        for (int i = 2; i < 300; i++) {
          client.onNext(Answers.delta(i, KIB));
        }
        client.onNext(Answers.finished(300, 298));
        client.onCompleted();
      });
      List<Collected<GenerateResponse>> stalled = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        Collected<GenerateResponse> call =
            router.generate(RouterFixture.prompt("m"), CallOptions.DEFAULT, 1);
        call.next();
        stalled.add(call);
      }
      // 10 stalled streams have long used up a connection's first 64 KiB
      assertThat(router.generate(RouterFixture.prompt("m")).rest()).hasSize(300);
      stalled.forEach(Collected::cancel);
    }
  }

  @Test
  void aCancelReachesTheWorkerBeforeAndAfterTheFirstToken() throws Exception {
    for (boolean started : new boolean[] {false, true}) {
      try (FakeWorker worker = FakeWorker.start("w1");
          RouterFixture router = RouterFixture.over(worker)) {
        CompletableFuture<Void> cancelled = new CompletableFuture<>();
        worker.script((request, client) -> {
          client.setOnCancelHandler(() -> cancelled.complete(null));
          if (started) {
            client.onNext(Answers.started("w1", request));
          }
        });
        Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("m"));
        worker.takeRequest();
        if (started) {
          call.next();
        }
        call.cancel();
        cancelled.get(20, TimeUnit.SECONDS);
        assertThat(call.status().getCode()).isEqualTo(Status.Code.CANCELLED);
        awaitIdle(router);
      }
    }
  }

  @Test
  void theDeadlineReachesTheWorker() throws Exception {
    try (FakeWorker worker = FakeWorker.start("w1");
        RouterFixture router = RouterFixture.over(worker)) {
      CompletableFuture<Long> leftMillis = new CompletableFuture<>();
      CompletableFuture<Void> over = new CompletableFuture<>();
      worker.script((request, client) -> {
        var deadline = io.grpc.Context.current().getDeadline();
        leftMillis.complete(deadline == null ? -1 : deadline.timeRemaining(TimeUnit.MILLISECONDS));
        client.setOnCancelHandler(() -> over.complete(null));
      });
      Collected<GenerateResponse> call =
          router.generate(
              RouterFixture.prompt("m"),
              CallOptions.DEFAULT.withDeadlineAfter(700, TimeUnit.MILLISECONDS),
              1);
      assertThat(leftMillis.get(20, TimeUnit.SECONDS)).isBetween(0L, 700L);
      assertThat(call.status().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
      over.get(20, TimeUnit.SECONDS);
      awaitIdle(router);
    }
  }

  @Test
  void stopsGracefully() throws Exception {
    try (FakeWorker worker = FakeWorker.start("w1");
        RouterFixture router = RouterFixture.over(worker)) {
      CompletableFuture<Runnable> finish = new CompletableFuture<>();
      worker.script((request, client) -> {
        client.onNext(Answers.started("w1", request));
        finish.complete(() -> {
          client.onNext(Answers.delta(2, "t"));
          client.onNext(Answers.finished(3, 1));
          client.onCompleted();
        });
      });
      Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("m"));
      call.next();
      Thread stopping = Thread.ofVirtual().start(() -> router.router().close());
      awaitRefused(router);
      finish.get(20, TimeUnit.SECONDS).run();
      assertThat(call.status().getCode()).isEqualTo(Status.Code.OK);
      assertThat(stopping.join(Duration.ofSeconds(20))).isTrue();
    }
  }

  @Test
  void endsWhatOutlivesTheGrace() {
    try (FakeWorker worker = FakeWorker.start("w1");
        RouterFixture router =
            RouterFixture.start(
                new TestConfig(worker).stopGrace(Duration.ofMillis(200)).build(),
                Telemetry.noop())) {
      Fleets.awaitReady(router.fleet(), 1);
      worker.script((request, client) -> client.onNext(Answers.started("w1", request)));
      Collected<GenerateResponse> call = router.generate(RouterFixture.prompt("m"));
      call.next();
      router.router().close();
      assertThat(call.status().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(Details.of(call, ErrorInfo.class).getReason()).isEqualTo("DRAINING");
    }
  }

  @Test
  void fiveHundredStreamsAtOnce() {
    try (FakeWorker a = FakeWorker.start("a");
        FakeWorker b = FakeWorker.start("b");
        RouterFixture router = RouterFixture.over(a, b)) {
      a.script(a.answer(40));
      b.script(b.answer(40));
      List<Collected<GenerateResponse>> calls = new ArrayList<>();
      for (int i = 0; i < 500; i++) {
        calls.add(router.generate(RouterFixture.prompt("m")));
      }
      for (Collected<GenerateResponse> call : calls) {
        List<GenerateResponse> messages = call.rest();
        assertThat(call.status().getCode()).isEqualTo(Status.Code.OK);
        assertThat(messages).hasSize(43);
        assertThat(messages.getLast().hasFinished()).isTrue();
      }
      assertThat(a.requestCount()).isBetween(150, 350);
      assertThat(a.requestCount() + b.requestCount()).isEqualTo(500);
      awaitIdle(router);
    }
  }

  /** Nothing stays charged. Ends of calls and of their accounting are not one event. */
  private static void awaitIdle(RouterFixture router) {
    while (router.fleet().snapshot().workers().stream()
        .map(WorkerView::link)
        .anyMatch(link -> link.inFlight() != 0)) {
      Thread.onSpinWait();
    }
  }

  /** A router that stops takes nothing new. */
  private static void awaitRefused(RouterFixture router) {
    while (router.router().port() >= 0) {
      Collected<GenerateResponse> late =
          router.generate(
              RouterFixture.prompt("none-of-these"),
              CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS),
              1);
      if (late.status().getCode() == Status.Code.UNAVAILABLE) {
        return;
      }
      assertThat(late.status().getCode()).isEqualTo(Status.Code.NOT_FOUND);
    }
  }
}
