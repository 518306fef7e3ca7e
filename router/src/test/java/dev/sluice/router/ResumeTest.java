package dev.sluice.router;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.Statuses;
import dev.sluice.router.proxy.ProxyOptions;
import dev.sluice.router.testing.Answers;
import dev.sluice.router.testing.Collected;
import dev.sluice.router.testing.Details;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.router.testing.Fleets;
import dev.sluice.router.testing.Generator;
import dev.sluice.router.testing.SteppedLoop;
import dev.sluice.v1.ChoiceProgress;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Load;
import dev.sluice.v1.Resume;
import dev.sluice.v1.RouterHop;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import dev.sluice.v1.Timings;
import dev.sluice.v1.Usage;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A worker that is lost in mid-stream is not seen by the client. */
@Timeout(120)
class ResumeTest {
  private static final Metadata.Key<Usage> USAGE =
      Metadata.Key.of(
          "sluice-usage-bin", ProtoUtils.metadataMarshaller(Usage.getDefaultInstance()));

  /** Waits as long as the test lets time pass. */
  private static final ProxyOptions PATIENT =
      new ProxyOptions(
          4, Duration.ofSeconds(2), Duration.ofSeconds(30), 20, Duration.ofMinutes(1), 8);

  private final SteppedLoop loop = new SteppedLoop();

  private static void drained(ServerCallStreamObserver<GenerateResponse> client) {
    client.onError(
        Statuses.toException(
            new Refusal.Unavailable("DRAINING", "the grace is over", Duration.ofSeconds(1))));
  }

  private static void fault(ServerCallStreamObserver<GenerateResponse> client) {
    client.onError(Status.INTERNAL.withDescription("fault").asRuntimeException());
  }

  private static GenerateRequest request(long seed, int n, int tokens) {
    return RouterFixture.prompt("m").toBuilder()
        .setRequestId("r")
        .setN(n)
        .setSampling(Sampling.newBuilder().setSeed(seed))
        .setStopping(Stopping.newBuilder().setMaxTokens(tokens))
        .build();
  }

  /** Makes these look busy, so that others are chosen. */
  private static void avoid(RouterFixture router, int load, FakeWorker... workers) {
    for (FakeWorker worker : workers) {
      worker.watchers().tell(Load.newBuilder().setRunningRequests(load).build());
      Fleets.await(
          router.fleet(),
          s ->
              s.workers().stream()
                  .anyMatch(w -> w.name().equals(worker.id()) && w.foreignRequests() == load));
    }
  }

  /** All but the last message are those of a stream that nothing disturbed, to the byte. */
  private static Timings assertUndisturbed(
      Collected<GenerateResponse> call, List<GenerateResponse> received, GenerateRequest request) {
    assertThat(call.status().getCode()).describedAs("%s", call.status()).isEqualTo(Status.Code.OK);
    List<GenerateResponse> expected = Generator.undisturbed("a", request);
    int last = expected.size() - 1;
    assertThat(received).hasSameSizeAs(expected);
    assertThat(received.subList(0, last)).isEqualTo(expected.subList(0, last));
    assertThat(received.get(last).getSequence()).isEqualTo(expected.get(last).getSequence());
    Usage usage = received.get(last).getFinished().getUsage();
    assertThat(usage.getOutputTokens())
        .isEqualTo(expected.get(last).getFinished().getUsage().getOutputTokens());
    return received.get(last).getFinished().getTimings();
  }

  @Test
  void whereverAStreamBreaksItGoesOnWithNoGapAndNoRepeat() {
    try (FakeWorker a = FakeWorker.resuming("a", "f");
        FakeWorker b = FakeWorker.resuming("b", "f");
        RouterFixture router = RouterFixture.over(a, b)) {
      avoid(router, 50, b);
      GenerateRequest request = request(7, 3, 6);
      int messages = Generator.undisturbed("a", request).size();
      assertThat(messages).isEqualTo(1 + 6 + 5 + 4 + 3 + 1);
      for (int k = 1; k <= messages; k++) {
        a.script(Generator.breaking("a", k, ResumeTest::drained));
        Collected<GenerateResponse> call = router.generate(request);
        List<GenerateResponse> received = call.rest();
        Timings timings = assertUndisturbed(call, received, request);
        a.takeRequest();
        if (k == messages) { // the end was there: nothing was missing
          assertThat(timings.getAttempts()).isEqualTo(1);
          assertThat(b.requestCount()).isZero();
          continue;
        }
        assertThat(timings.getAttempts()).isEqualTo(2);
        assertThat(timings.getResumes()).isEqualTo(1);
        GenerateRequest second = b.takeRequest();
        assertThat(second.getHop().getAttempt()).isEqualTo(2);
        assertThat(second.getHop().getResume().getNextSequence()).isEqualTo(k + 1);
      }
    }
  }

  @Test
  void aKilledWorkerIsAPauseAndTheEndTellsOfIt() {
    GenerateRequest request = request(1, 2, 8);
    CountDownLatch broken = new CountDownLatch(1);
    try (FakeWorker a = FakeWorker.resuming("a", "f");
        FakeWorker b = FakeWorker.resuming("b", "f");
        RouterFixture router = RouterFixture.over(loop, PATIENT, a, b)) {
      avoid(router, 50, b);
      a.script(Generator.breaking("a", 6, client -> broken.countDown()));
      Collected<GenerateResponse> call = router.generate(request);
      List<GenerateResponse> received = take(call, 6);
      loop.advance(Duration.ofSeconds(3));
      b.script((_, client) ->
          client.onError(
              Statuses.toException(
                  new Refusal.Overloaded("QUEUE_FULL", "full", Duration.ofSeconds(1), Map.of()))));
      a.kill();
      b.takeRequest(); // has no room at first
      loop.awaitTimer(Duration.ofMillis(100));
      b.script(new Generator("b"));
      loop.advance(Duration.ofSeconds(1));

      received.addAll(call.rest());
      Timings timings = assertUndisturbed(call, received, request);
      assertThat(timings.getResumes()).isEqualTo(1);
      assertThat(timings.getAttempts()).isEqualTo(3);
      assertThat(Duration.ofNanos(timings.getInterruptedNanos())).isEqualTo(Duration.ofSeconds(1));
      assertThat(timings.getTtftNanos()).isZero(); // by the router's clock, which stood still
      assertThat(Duration.ofNanos(timings.getE2ENanos())).isEqualTo(Duration.ofSeconds(4));
      assertThat(Duration.ofNanos(timings.getItlMaxNanos())).isEqualTo(Duration.ofSeconds(4));
      // without the interruption: with it, the times add up to the whole
      assertThat(Duration.ofNanos(timings.getDecodeNanos())).isEqualTo(Duration.ofSeconds(3));
      assertThat(timings.getQueueNanos()).isEqualTo(5 + 11);
      assertThat(timings.getPrefillNanos()).isEqualTo(7); // the second's is by the router's clock
      Usage usage = received.getLast().getFinished().getUsage();
      assertThat(usage.getCachedPromptTokens()).isEqualTo(2); // the first attempt's
      assertThat(usage.getOutputTokens()).isEqualTo(8 + 7);
    }
  }

  private static List<GenerateResponse> take(Collected<GenerateResponse> call, int messages) {
    List<GenerateResponse> taken = new java.util.ArrayList<>();
    for (int i = 0; i < messages; i++) {
      taken.add(call.next());
    }
    return taken;
  }

  @Test
  void startedAloneIsEnoughToGoOnAndNothingIsNot() {
    try (FakeWorker a = FakeWorker.resuming("a", "f");
        FakeWorker b = FakeWorker.resuming("b", "f");
        RouterFixture router = RouterFixture.over(a, b)) {
      avoid(router, 50, b);
      GenerateRequest request = request(3, 1, 4);
      a.script(Generator.breaking("a", 1, ResumeTest::drained));
      assertThat(router.generate(request).status().isOk()).isTrue();
      assertThat(b.takeRequest().getHop().getResume())
          .isEqualTo(Resume.newBuilder().setNextSequence(2).build());
      a.script(Generator.breaking("a", 0, ResumeTest::drained));
      assertThat(router.generate(request).status().isOk()).isTrue();
      assertThat(b.takeRequest().getHop().hasResume()).isFalse();
    }
  }

  @Test
  void goesOnWhereNumericsAreEqualIfItCan() {
    try (FakeWorker a = FakeWorker.resuming("a", "f");
        FakeWorker equal = FakeWorker.resuming("equal", "f");
        FakeWorker other = FakeWorker.resuming("other", "g");
        FakeWorker unable = FakeWorker.start("unable");
        RouterFixture router = RouterFixture.over(a, equal, other, unable)) {
      avoid(router, 90, equal);
      avoid(router, 60, other);
      avoid(router, 50, unable);
      a.script(Generator.breaking("a", 3, ResumeTest::drained));
      GenerateRequest request = request(3, 1, 4);
      assertThat(router.generate(request).status().isOk()).isTrue();
      assertThat(equal.requestCount()).isEqualTo(1);
      equal.script((_, client) -> drained(client));
      assertThat(router.generate(request).status().isOk()).isTrue();
      assertThat(other.requestCount()).isEqualTo(1);
      assertThat(unable.requestCount()).isZero();
    }
  }

  @Test
  void waitsForAWorkerToComeBack() {
    GenerateRequest request = request(5, 1, 6);
    FakeWorker a = FakeWorker.resuming("a", "f");
    int port = a.port();
    try (RouterFixture router = RouterFixture.over(loop, PATIENT, a)) {
      a.script(Generator.breaking("a", 4, _ -> {}));
      Collected<GenerateResponse> call = router.generate(request);
      List<GenerateResponse> received = take(call, 4);
      a.kill();
      Fleets.awaitReady(router.fleet(), 0);
      try (FakeWorker again = FakeWorker.resuming("a", "f", "e2", port)) {
        loop.advance(Duration.ofSeconds(5)); // for the fleet's back-off
        received.addAll(call.rest());
        assertUndisturbed(call, received, request);
        assertThat(again.requestCount()).isEqualTo(1);
      }
    }
  }

  @Test
  void givesUpAfterTheResumeTimeoutAndTellsWhatItCost() {
    FakeWorker a = FakeWorker.resuming("a", "f");
    try (RouterFixture router = RouterFixture.over(loop, PATIENT, a)) {
      a.script(Generator.breaking("a", 4, _ -> {}));
      Collected<GenerateResponse> call = router.generate(request(5, 1, 6));
      take(call, 4);
      a.kill();
      Fleets.awaitReady(router.fleet(), 0);
      loop.awaitTimer(PATIENT.resumeTimeout());
      loop.advance(Duration.ofSeconds(31));
      assertThat(call.status().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(Details.of(call, ErrorInfo.class).getReason()).isEqualTo("WORKER_LOST");
      assertThat(call.trailers().get(USAGE))
          .isEqualTo(
              Usage.newBuilder()
                  .setPromptTokens(3)
                  .setCachedPromptTokens(2)
                  .setOutputTokens(3)
                  .build());
    }
  }

  @Test
  void aRequestThatKillsTwoWorkersQuicklyIsNotTriedAgain() {
    try (FakeWorker a = FakeWorker.resuming("a", "f");
        FakeWorker b = FakeWorker.resuming("b", "f");
        FakeWorker c = FakeWorker.resuming("c", "f");
        RouterFixture router = RouterFixture.over(loop, PATIENT, a, b, c)) {
      avoid(router, 50, b);
      avoid(router, 60, c);
      a.script(Generator.breaking("a", 3, ResumeTest::fault));
      b.script(Generator.breaking("b", 5, ResumeTest::fault));
      Collected<GenerateResponse> call = router.generate(request(5, 1, 9));
      assertThat(call.rest()).hasSize(5);
      assertThat(call.status().getCode()).isEqualTo(Status.Code.INTERNAL);
      assertThat(Details.of(call, ErrorInfo.class).getReason()).isEqualTo("REQUEST_KILLS_WORKERS");
      assertThat(c.requestCount()).isZero();
    }
  }

  @Test
  void aRequestThatKillsThreeWorkersSlowlyIsNotTriedAgain() {
    try (FakeWorker a = FakeWorker.resuming("a", "f");
        FakeWorker b = FakeWorker.resuming("b", "f");
        FakeWorker c = FakeWorker.resuming("c", "f");
        FakeWorker d = FakeWorker.resuming("d", "f");
        RouterFixture router = RouterFixture.over(loop, PATIENT, a, b, c, d)) {
      LinkedBlockingQueue<ServerCallStreamObserver<GenerateResponse>> open =
          new LinkedBlockingQueue<>();
      avoid(router, 50, b);
      avoid(router, 60, c);
      avoid(router, 70, d);
      a.script(Generator.breaking("a", 3, open::add));
      b.script(Generator.breaking("b", 5, open::add));
      c.script(Generator.breaking("c", 7, open::add));
      Collected<GenerateResponse> call = router.generate(request(5, 1, 9));
      for (int messages : List.of(3, 2, 2)) {
        take(call, messages);
        loop.advance(Duration.ofMillis(2_500));
        fault(poll(open));
      }
      assertThat(call.status().getCode()).isEqualTo(Status.Code.INTERNAL);
      assertThat(Details.of(call, ErrorInfo.class).getReason()).isEqualTo("REQUEST_KILLS_WORKERS");
      assertThat(d.requestCount()).isZero();
    }
  }

  private static <T> T poll(LinkedBlockingQueue<T> queue) {
    try {
      T taken = queue.poll(20, java.util.concurrent.TimeUnit.SECONDS);
      if (taken == null) {
        throw new AssertionError("nothing came within 20 s");
      }
      return taken;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  @Test
  void aWorkerThatDoesNotGoOnProperlyIsLeft() {
    try (FakeWorker a = FakeWorker.resuming("a", "f");
        FakeWorker b = FakeWorker.resuming("b", "f");
        FakeWorker c = FakeWorker.resuming("c", "f");
        RouterFixture router = RouterFixture.over(a, b, c)) {
      avoid(router, 50, b);
      avoid(router, 60, c);
      GenerateRequest request = request(5, 1, 9);
      a.script(Generator.breaking("a", 3, ResumeTest::drained));
      // begins anew; says Started again with the right number
      for (FakeWorker.Script wrong :
          List.<FakeWorker.Script>of(
              (r, client) -> client.onNext(Answers.started("b", r)),
              (r, client) ->
                  client.onNext(Answers.started("b", r).toBuilder().setSequence(4).build()))) {
        b.script(wrong);
        Collected<GenerateResponse> call = router.generate(request);
        assertUndisturbed(call, call.rest(), request);
      }
      assertThat(c.requestCount()).isEqualTo(2);
    }
  }

  @Test
  void aClientGoesOnWithTheStreamOfAnotherRouter() {
    GenerateRequest request = request(9, 2, 6);
    try (FakeWorker a = FakeWorker.resuming("a", "f");
        FakeWorker b = FakeWorker.resuming("b", "f");
        RouterFixture router = RouterFixture.over(a, b)) {
      avoid(router, 50, b);
      List<GenerateResponse> all = Generator.undisturbed("a", request);
      for (int k = 1; k < all.size(); k++) {
        GenerateRequest goesOn =
            request.toBuilder()
                .setHop(RouterHop.newBuilder().setResume(progress(all.subList(0, k))))
                .build();
        a.script(Generator.breaking("a", Math.min(k + 2, all.size() - 1), ResumeTest::drained));
        Collected<GenerateResponse> call = router.generate(goesOn);
        List<GenerateResponse> rest = call.rest();
        assertThat(call.status().isOk()).describedAs("%s", call.status()).isTrue();
        assertThat(rest.subList(0, rest.size() - 1)).isEqualTo(all.subList(k, all.size() - 1));
        assertThat(rest.getLast().getFinished().getUsage().getOutputTokens()).isEqualTo(6 + 5);
      }
      assertThat(b.requestCount()).isEqualTo(all.size() - 1);

      Collected<GenerateResponse> wrong =
          router.generate(
              request.toBuilder()
                  .clearSampling()
                  .setHop(
                      RouterHop.newBuilder()
                          .setAttempt(2)
                          .setResume(
                              Resume.newBuilder()
                                  .addChoices(ChoiceProgress.newBuilder().setChoice(64))))
                  .build());
      assertThat(wrong.status().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
      assertThat(Details.of(wrong, BadRequest.class).getFieldViolationsList())
          .extracting(BadRequest.FieldViolation::getField)
          .containsExactly(
              "hop", "hop.resume.next_sequence", "hop.resume.choices", "sampling.seed");
    }
  }

  /** What a client that received these tells. */
  private static Resume progress(List<GenerateResponse> received) {
    Resume.Builder resume = Resume.newBuilder().setNextSequence(received.size() + 1L);
    for (int c = 0; c < 2; c++) {
      ChoiceProgress.Builder choice = ChoiceProgress.newBuilder().setChoice(c);
      for (GenerateResponse message : received) {
        if (message.hasDelta() && message.getDelta().getChoice() == c) {
          choice
              .addAllTokenIds(message.getDelta().getTokenIdsList())
              .setTextBytes(choice.getTextBytes() + message.getDelta().getTextBytes().size());
        }
        if (message.hasChoiceFinished() && message.getChoiceFinished().getChoice() == c) {
          choice.setFinished(true);
        }
      }
      resume.addChoices(choice);
    }
    return resume.build();
  }

  @Test
  void aClientsCancelDuringAnInterruptionEndsIt() {
    FakeWorker a = FakeWorker.resuming("a", "f");
    try (RouterFixture router = RouterFixture.over(loop, PATIENT, a)) {
      a.script(Generator.breaking("a", 4, _ -> {}));
      Collected<GenerateResponse> call = router.generate(request(5, 1, 6));
      take(call, 4);
      a.kill();
      Fleets.awaitReady(router.fleet(), 0);
      call.cancel();
      assertThat(call.status().getCode()).isEqualTo(Status.Code.CANCELLED);
    }
  }
}
