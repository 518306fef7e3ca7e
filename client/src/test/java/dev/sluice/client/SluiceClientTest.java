package dev.sluice.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.client.SluiceException.Violation;
import dev.sluice.v1.DetokenizeRequest;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Model;
import dev.sluice.v1.TokenizeRequest;
import io.grpc.Server;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The client against a fake service, over loopback. */
@Timeout(30)
final class SluiceClientTest {
  private final FakeGeneration service = new FakeGeneration();
  private Server server;
  private SluiceClient client;

  @BeforeEach
  void start() {
    server = Loopback.serve(service, 0);
    client = SluiceClient.create(Loopback.target(server));
  }

  @AfterEach
  void stop() {
    client.close();
    Loopback.kill(server);
  }

  private static GenerateOptions prompt(String text) {
    return GenerateOptions.text(text);
  }

  @Test
  void textsOfAStreamConcatenateToTheAnswer() {
    try (TokenStream stream = client.generate(prompt("to be or not"))) {
      assertThat(stream.started()).isEmpty();
      List<String> pieces = new ArrayList<>();
      stream.texts().forEach(pieces::add);
      assertThat(pieces).containsExactly("to ", "be ", "or ", "not");
      assertThat(stream.started().orElseThrow().getRequestId()).isEqualTo(stream.requestId());
      assertThat(stream.finished().orElseThrow().getUsage().getOutputTokens()).isEqualTo(3);
    }
  }

  @Test
  void messagesComeInOrderAndTheEndStaysTheEnd() {
    try (TokenStream stream = client.generate(prompt("a b"))) {
      List<Long> sequences = new ArrayList<>();
      for (GenerateResponse message : stream) {
        sequences.add(message.getSequence());
      }
      assertThat(sequences).containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L);
      assertThat(stream.next()).isEmpty();
    }
  }

  @Test
  void refusalNamesEveryViolation() {
    try (TokenStream stream = client.generate(prompt(FakeGeneration.INVALID))) {
      SluiceException e = catchThrowableOfType(SluiceException.class, stream::next);
      assertThat(e.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
      assertThat(e).hasMessage("INVALID_ARGUMENT: two fields are wrong");
      assertThat(e.violations())
          .containsExactly(
              new Violation("temperature", "3.0 (expected: 0.0 to 2.0)"),
              new Violation("n", "17 (expected: 1 to 16)"));
      assertThat(e.requestId()).contains(stream.requestId());
      assertThat(e.retryDelay()).isEmpty();
      assertThatThrownBy(stream::next).isInstanceOf(SluiceException.class);
    }
  }

  @Test
  void failureAfterTokensKeepsTheTokensAndTellsReasonDelayAndUsage() {
    try (TokenStream stream = client.generate(prompt(FakeGeneration.OVERLOADED))) {
      assertThat(stream.next().orElseThrow().getDelta().getText()).isEqualTo("one");
      SluiceException e = catchThrowableOfType(SluiceException.class, stream::next);
      assertThat(e.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      assertThat(e.reason()).contains("QUEUE_FULL");
      assertThat(e.metadata()).containsEntry("limit", "8");
      assertThat(e.retryDelay()).contains(Duration.ofMillis(1500));
      assertThat(e.usage().orElseThrow().getOutputTokens()).isEqualTo(1);
    }
  }

  @Test
  void closingCancelsOnTheServer() throws Exception {
    try (TokenStream stream = client.generate(prompt(FakeGeneration.ENDLESS))) {
      assertThat(stream.next()).isPresent();
    }
    assertThat(service.cancelled.await(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aReaderThatDoesNotReadStopsTheSender() throws Exception {
    try (TokenStream stream = client.generate(prompt(FakeGeneration.ENDLESS))) {
      assertThat(service.stalled.await(10, TimeUnit.SECONDS)).isTrue();
      // Window here (16 messages of 1 KiB) plus HTTP/2's 1 MiB plus the server's own buffers.
      assertThat(service.sent.get()).isLessThan(4096);
      int read = service.sent.get() + 100;
      for (int i = 1; i <= read; i++) {
        assertThat(stream.next().orElseThrow().getSequence()).isEqualTo(i);
      }
    }
  }

  @Test
  void interruptedReaderCancelsTheCall() throws Exception {
    CompletableFuture<SluiceException> failure = new CompletableFuture<>();
    Thread reader =
        Thread.startVirtualThread(() -> {
          TokenStream stream = client.generate(prompt(FakeGeneration.SILENT));
          failure.complete(catchThrowableOfType(SluiceException.class, stream::next));
        });
    reader.interrupt();
    assertThat(failure.get(10, TimeUnit.SECONDS).code()).isEqualTo(Status.Code.CANCELLED);
  }

  @Test
  void deadlineTravelsWithTheCallAndEndsIt() {
    Duration timeout = Duration.ofMillis(200);
    try (TokenStream stream = client.generate(prompt(FakeGeneration.SILENT).build(), timeout)) {
      SluiceException e = catchThrowableOfType(SluiceException.class, stream::next);
      assertThat(e.code()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    }
    assertThat(service.deadlineNanos.get()).isBetween(1L, timeout.toNanos());
  }

  @Test
  void listenerHearsEverythingInOrder() throws Exception {
    BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    client.generate(prompt("a b").build(), new Recorder(heard));
    List<String> all = new ArrayList<>();
    String event;
    do {
      event = heard.take();
      all.add(event);
    } while (!event.equals("complete"));
    assertThat(all)
        .containsExactly("started", "a ", "", "b", "", "choice_finished", "finished", "complete");
  }

  @Test
  void listenerHearsOfFailure() throws Exception {
    BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    client.generate(prompt(FakeGeneration.INVALID).build(), new Recorder(heard));
    assertThat(heard.take()).isEqualTo("INVALID_ARGUMENT: two fields are wrong");
  }

  private record Recorder(BlockingQueue<String> heard) implements GenerateListener {
    @Override
    public void onMessage(GenerateResponse message) {
      heard.add(
          message.hasDelta()
              ? message.getDelta().getText()
              : message.getEventCase().name().toLowerCase(Locale.ROOT));
    }

    @Override
    public void onComplete() {
      heard.add("complete");
    }

    @Override
    public void onFailure(RuntimeException failure) {
      heard.add(String.valueOf(failure.getMessage()));
    }
  }

  @Test
  void unaryCalls() {
    assertThat(client.generateOnce(prompt("whole").build()).getChoices(0).getText())
        .isEqualTo("whole");
    SluiceException e =
        catchThrowableOfType(
            SluiceException.class,
            () -> client.generateOnce(prompt(FakeGeneration.INVALID).build()));
    assertThat(e.violations()).hasSize(2);
    assertThat(e.requestId()).isPresent();
    assertThat(
            client.tokenize(TokenizeRequest.newBuilder().setText("AB").build()).getTokenIdsList())
        .containsExactly(65, 66);
    assertThat(client.detokenize(DetokenizeRequest.newBuilder().addTokenIds(67).build()).getText())
        .isEqualTo("C");
    assertThat(client.listModels()).extracting(Model::getId).containsExactly("m");
  }

  @Test
  void refusedConnectionSaysWhere() {
    int port = server.getPort();
    server.shutdownNow();
    try (SluiceClient other = SluiceClient.create("127.0.0.1:" + port)) {
      assertThatThrownBy(() -> other.generate(prompt("x")).next())
          .isInstanceOf(SluiceException.class)
          .hasMessageContaining("UNAVAILABLE")
          .hasMessageContaining("127.0.0.1:" + port);
    }
  }

  @Test
  void optionsBuildTheRequest() {
    GenerateRequest request =
        GenerateOptions.chat("Hi")
            .system("Be brief")
            .temperature(0)
            .topK(3)
            .topP(0.5)
            .seed(7)
            .maxTokens(9)
            .stop("\n", "END")
            .session("s")
            .model("m")
            .build();
    assertThat(request.getChat().getMessages(0).getRole()).isEqualTo("system");
    assertThat(request.getChat().getMessages(1).getContent()).isEqualTo("Hi");
    assertThat(request.getSampling().hasTemperature()).isTrue();
    assertThat(request.getSampling().getTopK()).isEqualTo(3);
    assertThat(request.getSampling().getTopP()).isEqualTo(0.5f);
    assertThat(request.getSampling().getSeed()).isEqualTo(7);
    assertThat(request.getStopping().getMaxTokens()).isEqualTo(9);
    assertThat(request.getStopping().getStopList()).containsExactly("\n", "END");
    assertThat(request.getSessionId()).isEqualTo("s");
    assertThat(request.getModel()).isEqualTo("m");
  }
}
