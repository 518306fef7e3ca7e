package dev.sluice.router;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.router.index.BlockHashes;
import dev.sluice.router.testing.Answers;
import dev.sluice.router.testing.Collected;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.router.testing.Fleets;
import dev.sluice.router.testing.TinyTokenizer;
import dev.sluice.v1.ChatMessage;
import dev.sluice.v1.ChatMessages;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.KvEvents;
import dev.sluice.v1.Load;
import dev.sluice.v1.TokenIds;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Requests go to the worker that has the most to go on with. */
class CostRoutingTest {
  private static final int BLOCK = 16; // of FakeWorker's model
  private static final TokenizerBundle TOKENIZER = TinyTokenizer.bundle();

  private static FakeWorker lending(String id) {
    FakeWorker worker =
        FakeWorker.serving(
            id,
            FakeWorker.model("m").toBuilder()
                .setTokenizerFingerprint(TOKENIZER.fingerprint())
                .build(),
            0);
    worker.watchers().lend(TOKENIZER);
    return worker;
  }

  private static RouterFixture over(FakeWorker... workers) {
    RouterConfig d = RouterFixture.config(workers);
    RouterFixture router =
        RouterFixture.start(
            new RouterConfig(
                d.server(),
                d.http(),
                d.workers(),
                "cost",
                d.index(),
                d.prompt(),
                d.fleet(),
                d.channel(),
                d.proxy(),
                d.admission(),
                d.tenants(),
                d.tls(),
                d.auth(),
                d.workersTls(),
                d.workersKey(),
                d.telemetry(),
                d.portFile()),
            Telemetry.noop());
    Fleets.awaitReady(router.fleet(), workers.length);
    return router;
  }

  /** Waits until the worker's tokenizer was fetched. */
  private static void awaitTokenizer(RouterFixture router, FakeWorker... workers) {
    long limit = System.nanoTime() + 20_000_000_000L;
    for (int i = 0; ; i++) {
      router.generate(text("w" + i % 100)).rest(); // of different homes
      for (FakeWorker worker : workers) {
        while (worker.requestCount() > 0) {
          if (worker.takeRequest().getHop().getPromptTokenIdsCount() > 0) {
            return;
          }
        }
      }
      if (System.nanoTime() - limit > 0) {
        throw new AssertionError("no tokenizer within 20 s");
      }
    }
  }

  private static GenerateRequest text(String text) {
    return GenerateRequest.newBuilder().setModel("m").setText(text).build();
  }

  private static GenerateRequest tokens(int... ids) {
    return GenerateRequest.newBuilder()
        .setModel("m")
        .setTokenIds(TokenIds.newBuilder().addAllIds(IntStream.of(ids).boxed().toList()))
        .build();
  }

  private static int[] prompt(int seed, int length) {
    return IntStream.range(0, length).map(i -> (seed + i * i) % 100).toArray();
  }

  /** The worker has these blocks from now on, and the router knows. */
  private static void cached(RouterFixture router, FakeWorker worker, int[] tokens, int marker) {
    BlockHashes blocks = BlockHashes.of(tokens, BLOCK, "");
    ByteBuffer bytes = ByteBuffer.allocate(16 * blocks.count());
    for (int i = 0; i < blocks.count(); i++) {
      bytes.putLong(blocks.high(i)).putLong(blocks.low(i));
    }
    worker
        .watchers()
        .tell(KvEvents.newBuilder().setStored(ByteString.copyFrom(bytes.array())).build());
    worker.watchers().tell(Load.newBuilder().setRunningRequests(marker).build());
    Fleets.await(
        router.fleet(), s -> s.workers().stream().anyMatch(w -> w.foreignRequests() == marker));
  }

  private static String workerOf(Collected<GenerateResponse> call) {
    return RouterFixture.workerOf(call.rest());
  }

  @Test
  void aCachedPrefixDrawsRequests() {
    try (FakeWorker a = FakeWorker.start("a");
        FakeWorker b = FakeWorker.start("b");
        RouterFixture router = over(a, b)) {
      for (FakeWorker holder : List.of(a, b)) {
        int[] shared = prompt(holder == a ? 1 : 2, 320);
        cached(router, holder, shared, holder == a ? 3 : 4);
        for (int i = 0; i < 4; i++) {
          int[] own = Arrays.copyOf(shared, 340);
          Arrays.fill(own, 320, 340, 10 + i);
          assertThat(workerOf(router.generate(tokens(own)))).isEqualTo(holder.id());
        }
      }
    }
  }

  @Test
  void siblingsThatComeTogetherStayTogether() {
    try (FakeWorker a = FakeWorker.start("a");
        FakeWorker b = FakeWorker.start("b");
        RouterFixture router = over(a, b)) {
      List<FakeWorker> both = List.of(a, b);
      both.forEach(w -> w.script((request, client) -> {})); // nothing is computed yet
      int[] shared = prompt(5, 640);
      List<Collected<GenerateResponse>> calls = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        shared[639] = i;
        calls.add(router.generate(tokens(shared)));
      }
      long limit = System.nanoTime() + 20_000_000_000L;
      while (a.requestCount() + b.requestCount() < 4 && System.nanoTime() - limit < 0) {
        Thread.onSpinWait();
      }
      // No worker has told of a block, and yet they wait where the first one is computed.
      FakeWorker home = a.requestCount() > b.requestCount() ? a : b;
      assertThat(home.requestCount()).isEqualTo(4);
      calls.forEach(Collected::cancel);
      calls.forEach(Collected::status);
    }
  }

  @Test
  void textIsTokenizedByTheRouter() {
    try (FakeWorker a = lending("a");
        RouterFixture router = over(a)) {
      awaitTokenizer(router, a);
      router.generate(text("w5 w6 unheard w7")).rest();
      GenerateRequest sent = a.takeRequest();
      assertThat(sent.getHop().getPromptTokenIdsList()).containsExactly(5, 6, 104, 7);
      assertThat(sent.getHop().getTokenizerFingerprint()).isEqualTo(TOKENIZER.fingerprint());
      assertThat(sent.getPromptCase()).isEqualTo(GenerateRequest.PromptCase.PROMPT_NOT_SET);

      ChatMessages.Builder chat = ChatMessages.newBuilder();
      for (int turn = 0; turn < 3; turn++) {
        chat.addMessages(ChatMessage.newBuilder().setRole("user").setContent("w" + turn));
        router
            .generate(
                GenerateRequest.newBuilder().setModel("m").setSessionId("s").setChat(chat).build())
            .rest();
        List<Integer> ids = a.takeRequest().getHop().getPromptTokenIdsList();
        assertThat(ids).hasSize(4 * (turn + 1) + 1);
        assertThat(ids.subList(ids.size() - 5, ids.size()))
            .containsExactly(
                TinyTokenizer.START, 102, turn, TinyTokenizer.END, TinyTokenizer.START);
      }
      // What is wrong with a prompt is the worker's to say, who sees all of it.
      router
          .generate(GenerateRequest.newBuilder().setChat(ChatMessages.getDefaultInstance()).build())
          .rest();
      GenerateRequest empty = a.takeRequest();
      assertThat(empty.hasChat()).isTrue();
      assertThat(empty.getHop().getPromptTokenIdsCount()).isZero();
    }
  }

  @Test
  void aWorkerWithAnotherTokenizerGetsTheText() {
    try (FakeWorker a = lending("a");
        RouterFixture router = over(a)) {
      awaitTokenizer(router, a);
      a.script((request, client) -> {
        if (request.getHop().getPromptTokenIdsCount() > 0) {
          client.onError(mismatch());
        } else {
          Answers.stream("a", request, 3).forEach(client::onNext);
          client.onCompleted();
        }
      });
      Collected<GenerateResponse> call = router.generate(text("w1 w2 w3"));
      assertThat(call.rest().getLast().getFinished().getTimings().getAttempts()).isEqualTo(2);
      assertThat(call.status().isOk()).isTrue();
      assertThat(a.takeRequest().getHop().getPromptTokenIdsCount()).isEqualTo(3);
      assertThat(a.takeRequest().getText()).isEqualTo("w1 w2 w3");
    }
  }

  @Test
  void aWorkerThatReportsAnotherTokenizerIsNotSentTokens() {
    try (FakeWorker a = lending("a");
        FakeWorker b =
            FakeWorker.serving(
                "b",
                FakeWorker.model("m").toBuilder().setTokenizerFingerprint("other").build(),
                0);
        RouterFixture router = over(a, b)) {
      awaitTokenizer(router, a);
      a.watchers().tell(Load.newBuilder().setRunningRequests(50).build());
      Fleets.await(
          router.fleet(), s -> s.workers().stream().anyMatch(w -> w.foreignRequests() == 50));
      while (b.requestCount() > 0) {
        b.takeRequest();
      }
      router.generate(text("w1 w2 w3")).rest();
      assertThat(b.takeRequest().getText()).isEqualTo("w1 w2 w3");
    }
  }

  private static RuntimeException mismatch() {
    return StatusProto.toStatusRuntimeException(
        com.google.rpc.Status.newBuilder()
            .setCode(Status.Code.FAILED_PRECONDITION.value())
            .addDetails(
                com.google.protobuf.Any.pack(
                    com.google.rpc.ErrorInfo.newBuilder().setReason("TOKENIZER_MISMATCH").build()))
            .build());
  }
}
