package dev.sluice.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Any;
import com.google.rpc.Code;
import com.google.rpc.RequestInfo;
import com.google.rpc.RetryInfo;
import dev.sluice.client.FakeRouter.Plan;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Stopping;
import dev.sluice.v1.Timings;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Streams whose router is lost, over loopback. */
@Timeout(60)
final class FailoverTest {
  private static final RetryPolicy QUICK =
      new RetryPolicy(
          2, Duration.ZERO, Duration.ofSeconds(30), Duration.ofMillis(1), Duration.ofMillis(20));

  private final Queue<GenerateRequest> requests = new ConcurrentLinkedQueue<>();
  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable closeable : open.reversed()) {
      closeable.close();
    }
  }

  private FakeRouter router(Queue<Plan> plans) {
    FakeRouter router = new FakeRouter(plans, requests);
    open.add(router);
    return router;
  }

  private SluiceClient client(RetryPolicy retry, FakeRouter... routers) {
    List<String> targets = new ArrayList<>();
    for (FakeRouter router : routers) {
      targets.add(router.target());
    }
    SluiceClient client = SluiceClient.builder(String.join(",", targets)).retry(retry).build();
    open.add(client);
    return client;
  }

  private static GenerateRequest request(int choices) {
    return GenerateRequest.newBuilder()
        .setRequestId("r")
        .setText("hello")
        .setN(choices)
        .setStopping(Stopping.newBuilder().setMaxTokens(20))
        .build();
  }

  private static Plan unavailable(int messages) {
    return new Plan(messages, out -> out.onError(Status.UNAVAILABLE.asRuntimeException()));
  }

  private static StatusRuntimeException busy(Duration delay) {
    return StatusProto.toStatusRuntimeException(
        com.google.rpc.Status.newBuilder()
            .setCode(Code.RESOURCE_EXHAUSTED_VALUE)
            .setMessage("queue full")
            .addDetails(
                Any.pack(
                    RetryInfo.newBuilder()
                        .setRetryDelay(
                            com.google.protobuf.Duration.newBuilder()
                                .setNanos((int) delay.toNanos()))
                        .build()))
            .build());
  }

  private static List<GenerateResponse> read(TokenStream stream, int messages) {
    List<GenerateResponse> read = new ArrayList<>();
    for (int i = 0; i < messages; i++) {
      read.add(stream.next().orElseThrow());
    }
    return read;
  }

  private static List<GenerateResponse> readAll(TokenStream stream) {
    List<GenerateResponse> read = new ArrayList<>();
    stream.forEach(read::add);
    return read;
  }

  /** Equal but for the times at the end. */
  private static void assertSame(List<GenerateResponse> actual, List<GenerateResponse> expected) {
    int last = expected.size() - 1;
    assertThat(actual.subList(0, last)).isEqualTo(expected.subList(0, last));
    assertThat(actual).hasSameSizeAs(expected);
    assertThat(actual.getLast().hasFinished()).isTrue();
  }

  @Test
  void aStreamGoesOnAtAnotherRouterWhenItsOwnIsKilled() {
    for (int messages : List.of(1, 2, 3, 10, 43)) {
      requests.clear();
      Queue<Plan> plans = FakeRouter.plans(Plan.hang(messages));
      FakeRouter a = router(plans);
      FakeRouter b = router(plans);
      SluiceClient client = client(QUICK, a, b);
      try (TokenStream stream = client.generate(request(2))) {
        List<GenerateResponse> all = read(stream, messages);
        a.kill();
        b.kill(); // whichever it was
        a.restart();
        b.restart();
        all.addAll(readAll(stream));
        assertSame(all, Continued.whole(request(2)));
        assertThat(stream.resumes()).isEqualTo(1);
        Timings timings = stream.finished().orElseThrow().getTimings();
        assertThat(timings.getResumes()).isEqualTo(1);
        assertThat(timings.getInterruptedNanos()).isBetween(1L, timings.getE2ENanos());
        assertThat(timings.getTtftNanos()).isBetween(1L, timings.getE2ENanos());
      }
      assertThat(requests).hasSize(2);
      GenerateRequest again = requests.stream().toList().getLast();
      assertThat(again.getSampling().getSeed()).isEqualTo(Continued.CHOSEN_SEED);
    }
  }

  @Test
  void aRouterThatIsLostAfterTheLastMessageIsNoLoss() {
    List<GenerateResponse> whole = Continued.whole(request(1));
    SluiceClient client = client(QUICK, router(FakeRouter.plans(unavailable(whole.size()))));
    try (TokenStream stream = client.generate(request(1))) {
      assertThat(readAll(stream)).isEqualTo(whole);
    }
    assertThat(requests).hasSize(1);
  }

  @Test
  void aRouterThatIsGoneAfterAFewMessagesAgainAndAgainLosesNothing() {
    Queue<Plan> plans =
        FakeRouter.plans(
            unavailable(0), unavailable(3), unavailable(1), unavailable(0), unavailable(7));
    SluiceClient client = client(QUICK, router(plans), router(plans));
    try (TokenStream stream = client.generate(request(1))) {
      assertSame(readAll(stream), Continued.whole(request(1)));
      assertThat(stream.resumes()).isEqualTo(4);
    }
  }

  @Test
  void theOnlyRouterIsWaitedForWhileItRestarts() throws Exception {
    FakeRouter router = router(FakeRouter.plans(Plan.hang(5)));
    SluiceClient client = client(QUICK, router);
    CompletableFuture<List<GenerateResponse>> rest = new CompletableFuture<>();
    try (TokenStream stream = client.generate(request(1))) {
      List<GenerateResponse> all = read(stream, 5);
      router.kill();
      Thread reader = Thread.ofPlatform().start(() -> rest.complete(readAll(stream)));
      awaitWaiting(reader);
      router.restart();
      all.addAll(rest.get(30, TimeUnit.SECONDS));
      assertSame(all, Continued.whole(request(1)));
    }
  }

  private static void awaitWaiting(Thread thread) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (thread.getState() != Thread.State.TIMED_WAITING && System.nanoTime() < end) {
      Thread.onSpinWait();
    }
  }

  @Test
  void theListenerHearsOneStream() throws Exception {
    Queue<Plan> plans = FakeRouter.plans(unavailable(9));
    SluiceClient client = client(QUICK, router(plans), router(plans));
    List<GenerateResponse> heard = new ArrayList<>();
    CompletableFuture<List<GenerateResponse>> complete = new CompletableFuture<>();
    client.generate(
        request(1),
        new GenerateListener() {
          @Override
          public void onMessage(GenerateResponse message) {
            heard.add(message);
          }

          @Override
          public void onComplete() {
            complete.complete(heard);
          }

          @Override
          public void onFailure(RuntimeException failure) {
            complete.completeExceptionally(failure);
          }
        });
    assertSame(complete.get(30, TimeUnit.SECONDS), Continued.whole(request(1)));
  }

  @Test
  void cancelEndsTheWaitForARouter() throws Exception {
    RetryPolicy slow =
        new RetryPolicy(
            0, Duration.ZERO, Duration.ofHours(9), Duration.ofHours(1), Duration.ofHours(1));
    FakeRouter router = router(FakeRouter.plans(unavailable(2)));
    SluiceClient client = client(slow, router);
    CompletableFuture<SluiceException> failure = new CompletableFuture<>();
    TokenStream stream = client.generate(request(1));
    read(stream, 2);
    Thread reader =
        Thread.ofPlatform()
            .start(
                () -> failure.complete(catchThrowableOfType(SluiceException.class, stream::next)));
    awaitWaiting(reader);
    stream.cancel();
    assertThat(failure.get(30, TimeUnit.SECONDS).code()).isEqualTo(Status.Code.CANCELLED);
  }

  @Test
  void aRefusalThatPassesIsMadeAgainWhenTheServerSays() {
    StatusRuntimeException busy = busy(Duration.ofMillis(2));
    Queue<Plan> plans = FakeRouter.plans(Plan.refuse(busy), Plan.refuse(busy));
    SluiceClient client = client(QUICK, router(plans));
    try (TokenStream stream = client.generate(request(1))) {
      assertSame(readAll(stream), Continued.whole(request(1)));
      assertThat(stream.resumes()).isZero();
    }
    plans.addAll(FakeRouter.plans(Plan.refuse(busy), Plan.refuse(busy), Plan.refuse(busy)));
    try (TokenStream stream = client.generate(request(1))) {
      SluiceException e = catchThrowableOfType(SluiceException.class, stream::next);
      assertThat(e.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    }
  }

  @Test
  void aBusyRouterDoesNotEndAStreamThatHasBegun() {
    Queue<Plan> plans = FakeRouter.plans(unavailable(4));
    for (int i = 0; i < 5; i++) {
      plans.add(Plan.refuse(busy(Duration.ofMillis(1))));
    }
    SluiceClient client = client(QUICK, router(plans));
    try (TokenStream stream = client.generate(request(1))) {
      assertSame(readAll(stream), Continued.whole(request(1)));
    }
  }

  @Test
  void whatTheServerExplainsIsFinalAndABrokenConnectionIsNot() {
    StatusRuntimeException explained =
        StatusProto.toStatusRuntimeException(
            com.google.rpc.Status.newBuilder()
                .setCode(Code.INTERNAL_VALUE)
                .addDetails(Any.pack(RequestInfo.newBuilder().setRequestId("r").build()))
                .build());
    Queue<Plan> plans =
        FakeRouter.plans(
            new Plan(3, out -> out.onError(Status.INTERNAL.asRuntimeException())),
            new Plan(3, out -> out.onError(explained)));
    SluiceClient client = client(QUICK, router(plans));
    try (TokenStream stream = client.generate(request(1))) {
      read(stream, 6);
      SluiceException e = catchThrowableOfType(SluiceException.class, stream::next);
      assertThat(e.code()).isEqualTo(Status.Code.INTERNAL);
      assertThat(requests).hasSize(2);
    }
  }

  @Test
  void aMessageThatIsNotTheNextOneIsAFault() {
    GenerateResponse third = Continued.whole(request(1)).get(2);
    Queue<Plan> plans =
        FakeRouter.plans(
            new Plan(
                1,
                out -> {
                  out.onNext(third);
                  out.onCompleted();
                }));
    SluiceClient client = client(QUICK, router(plans));
    try (TokenStream stream = client.generate(request(1))) {
      read(stream, 1);
      SluiceException e = catchThrowableOfType(SluiceException.class, stream::next);
      assertThat(e).hasMessage("INTERNAL: message 3 (expected: 2)");
    }
  }

  @Test
  void aDeadlineEndsTheSearchForARouter() {
    FakeRouter router = router(FakeRouter.plans(Plan.hang(2)));
    SluiceClient client = client(QUICK, router);
    try (TokenStream stream = client.generate(request(1), Duration.ofSeconds(2))) {
      read(stream, 2);
      router.kill();
      SluiceException e = catchThrowableOfType(SluiceException.class, stream::next);
      assertThat(e.code()).isIn(Status.Code.UNAVAILABLE, Status.Code.DEADLINE_EXCEEDED);
    }
  }

  @Test
  void callsWithOneAnswerGoToARouterThatIsThere() {
    FakeRouter a = router(FakeRouter.plans());
    FakeRouter b = router(FakeRouter.plans());
    SluiceClient client = client(QUICK, a, b);
    a.kill();
    for (int i = 0; i < 6; i++) {
      assertThat(client.listModels()).hasSize(1);
    }
    a.restart();
    b.kill();
    for (int i = 0; i < 6; i++) {
      assertThat(client.listModels()).hasSize(1);
    }
  }
}
