package dev.sluice.router;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.router.fleet.WorkerStatus;
import dev.sluice.router.proxy.ProxyOptions;
import dev.sluice.router.testing.Answers;
import dev.sluice.router.testing.Collected;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.router.testing.Fleets;
import dev.sluice.router.testing.Generator;
import dev.sluice.router.testing.SteppedLoop;
import dev.sluice.v1.Beam;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Heartbeat;
import dev.sluice.v1.Load;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import io.grpc.CallOptions;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is a stall and what is not, by the worker's heartbeat. Time is the test's. */
@Timeout(120)
class StallTest {
  private static final ProxyOptions PATIENT =
      new ProxyOptions(
          4, Duration.ofSeconds(2), Duration.ofSeconds(30), 20, Duration.ofMinutes(5), 8);

  private final SteppedLoop loop = new SteppedLoop();
  private final FakeWorker a = FakeWorker.resuming("a", "f");
  private final FakeWorker b = FakeWorker.resuming("b", "f");
  private final RouterFixture router = RouterFixture.over(loop, PATIENT, a, b);
  private long beats;

  @AfterEach
  void close() {
    router.close();
    a.close();
    b.close();
  }

  private static GenerateRequest request() {
    return RouterFixture.prompt("m").toBuilder()
        .setRequestId("r")
        .setSampling(Sampling.newBuilder().setSeed(2))
        .setStopping(Stopping.newBuilder().setMaxTokens(12))
        .build();
  }

  private static Heartbeat working(long steps) {
    return Heartbeat.newBuilder().setSteps(steps).setStepAgeNanos(1).build();
  }

  private static Heartbeat decoding(long steps) {
    return working(steps).toBuilder().addDecodingRequestIds("r").build();
  }

  /** So many seconds with a heartbeat of each worker at the end of each; {@code b} is well. */
  private void seconds(int count, LongFunction<Heartbeat> ofA) {
    for (int i = 0; i < count; i++) {
      loop.advance(Duration.ofSeconds(1));
      beats++;
      a.watchers().tell(ofA.apply(beats));
      b.watchers().tell(working(beats));
      for (FakeWorker worker : List.of(a, b)) { // what comes after it was taken in, so it was, too
        worker
            .watchers()
            .tell(
                Load.newBuilder()
                    .setRunningRequests(worker == a ? 0 : 50)
                    .setOutputTokensTotal(beats)
                    .build());
        Fleets.await(
            router.fleet(),
            s ->
                s.workers().stream()
                    .filter(w -> w.name().equals(worker.id()))
                    .anyMatch(
                        w -> w.report().orElseThrow().load().getOutputTokensTotal() == beats));
      }
      loop.settle();
    }
  }

  private WorkerStatus statusOfA() {
    return router.fleet().find("a").orElseThrow().status();
  }

  /** A stream that is at {@code a} and has four messages. */
  private Collected<GenerateResponse> stream(
      CompletableFuture<ServerCallStreamObserver<GenerateResponse>> paused) {
    seconds(1, StallTest::working);
    a.script(Generator.breaking("a", 4, paused::complete));
    Collected<GenerateResponse> call = router.generate(request());
    for (int i = 0; i < 4; i++) {
      call.next();
    }
    return call;
  }

  private static void assertRest(Collected<GenerateResponse> call) {
    List<GenerateResponse> rest = call.rest();
    assertThat(call.status().isOk()).isTrue();
    List<GenerateResponse> all = Generator.undisturbed("a", request());
    assertThat(rest.subList(0, rest.size() - 1)).isEqualTo(all.subList(4, all.size() - 1));
    assertThat(rest.getLast().getFinished().getTimings().getResumes()).isEqualTo(1);
  }

  @Test
  void aStepThatNeverEndsIsOneAndTheOldStreamIsDroppedIfItComesBack() throws Exception {
    CompletableFuture<ServerCallStreamObserver<GenerateResponse>> paused =
        new CompletableFuture<>();
    Collected<GenerateResponse> call = stream(paused);
    long stuck = beats;
    seconds(9, _ -> working(stuck));
    assertThat(statusOfA()).isEqualTo(WorkerStatus.READY);
    assertThat(b.requestCount()).isZero();
    seconds(1, _ -> working(stuck));
    assertThat(statusOfA()).isEqualTo(WorkerStatus.SUSPECT);
    paused.get(20, TimeUnit.SECONDS).onNext(Answers.delta(5, "stale"));
    assertRest(call);

    seconds(1, StallTest::working); // moves again
    assertThat(statusOfA()).isEqualTo(WorkerStatus.READY);
  }

  @Test
  void aStepThatIsLongOverDueWhenFirstHeardOfIsOne() {
    seconds(1, _ -> working(1).toBuilder().setStepAgeNanos(10_000_000_000L).build());
    assertThat(statusOfA()).isEqualTo(WorkerStatus.SUSPECT);
  }

  @Test
  void aHeartbeatThatStopsIsOne() {
    CompletableFuture<ServerCallStreamObserver<GenerateResponse>> paused =
        new CompletableFuture<>();
    Collected<GenerateResponse> call = stream(paused);
    a.watchers().silent(true);
    int seconds = 0;
    // what a said before may arrive late, and then counts from when it does
    while (statusOfA() != WorkerStatus.SUSPECT && seconds < 20) {
      int running = 50 + ++seconds;
      b.watchers().tell(Load.newBuilder().setRunningRequests(running).build());
      // once a is suspect, what b has is no longer only that of others
      Fleets.await(
          router.fleet(),
          s ->
              s.workers().stream()
                  .anyMatch(
                      w -> w.foreignRequests() == running || w.status() == WorkerStatus.SUSPECT));
      loop.advance(Duration.ofSeconds(1));
    }
    assertThat(seconds).isGreaterThanOrEqualTo(10);
    assertThat(statusOfA()).isEqualTo(WorkerStatus.SUSPECT);
    assertRest(call);
  }

  @Test
  void aSequenceThatDecodesInSilenceIsOne() {
    CompletableFuture<ServerCallStreamObserver<GenerateResponse>> paused =
        new CompletableFuture<>();
    Collected<GenerateResponse> call = stream(paused);
    seconds(11, StallTest::decoding); // the first heartbeat after a message starts the clock
    assertThat(b.requestCount()).isZero();
    loop.advance(Duration.ofSeconds(1));
    a.watchers().tell(decoding(++beats));
    assertRest(call);
    Fleets.await(
        router.fleet(),
        s ->
            s.workers().stream()
                .anyMatch(w -> w.name().equals("a") && w.status() == WorkerStatus.SUSPECT));
    loop.advance(Duration.ofSeconds(1)); // it greets again
    Fleets.awaitReady(router.fleet(), 2);
  }

  @Test
  void aQueuedRequestALongPrefillAndAnIdleEngineAreNone() throws Exception {
    CompletableFuture<ServerCallStreamObserver<GenerateResponse>> paused =
        new CompletableFuture<>();
    Collected<GenerateResponse> call = stream(paused);
    long steps = beats;
    seconds(9, _ -> working(steps)); // one long step
    seconds(9, i -> working(i)); // steps that are not for this request
    seconds(20, _ -> Heartbeat.newBuilder().setSteps(steps).build()); // no step at all
    seconds(5, StallTest::decoding);
    paused.get(20, TimeUnit.SECONDS).onNext(Generator.undisturbed("a", request()).get(4));
    call.next();
    seconds(8, StallTest::decoding); // not 10 s since the last message
    assertThat(b.requestCount()).isZero();
    assertThat(statusOfA()).isEqualTo(WorkerStatus.READY);
    call.cancel();
  }

  @Test
  void aSlowClientIsNone() {
    seconds(1, StallTest::working);
    String kib = "x".repeat(1024);
    a.script((request, client) -> {
      client.onNext(Answers.started("a", request));
      for (int i = 2; i < 300; i++) {
        client.onNext(Answers.delta(i, kib));
      }
    });
    Collected<GenerateResponse> call = router.generate(request(), CallOptions.DEFAULT, 1);
    call.next();
    seconds(30, StallTest::decoding);
    assertThat(b.requestCount()).isZero();
    call.cancel();
  }

  @Test
  void aBeamSearchIsNone() {
    seconds(1, StallTest::working);
    a.script((_, _) -> {});
    Collected<GenerateResponse> call =
        router.generate(
            request().toBuilder().clearSampling().setBeam(Beam.newBuilder().setWidth(4)).build());
    a.takeRequest();
    seconds(30, StallTest::decoding);
    assertThat(b.requestCount()).isZero();
    call.cancel();
  }
}
