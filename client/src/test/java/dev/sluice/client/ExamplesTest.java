package dev.sluice.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.v1.Delta;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.ListModelsRequest;
import io.grpc.Server;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How the library is used, as docs/client.md tells; the service echoes the prompt. */
@Timeout(30)
final class ExamplesTest {
  private final FakeGeneration service = new FakeGeneration();
  private Server server;
  private String router;

  @BeforeEach
  void start() {
    server = Loopback.serve(service, 0);
    router = Loopback.target(server);
  }

  @AfterEach
  void stop() {
    Loopback.kill(server);
  }

  @Test
  void streamText() {
    StringBuilder screen = new StringBuilder();
    try (SluiceClient client = SluiceClient.create(router);
        TokenStream stream = client.generate(GenerateOptions.text("to be or not").maxTokens(64))) {
      for (String text : stream.texts()) {
        screen.append(text);
      }
    }
    assertThat(screen).hasToString("to be or not");
  }

  @Test
  void streamTokensOfSeveralChoices() {
    GenerateRequest request = GenerateOptions.text("a b").seed(7).toBuilder().setN(2).build();
    int tokens = 0;
    try (SluiceClient client = SluiceClient.create(router);
        TokenStream stream = client.generate(request)) {
      for (GenerateResponse message : stream) {
        switch (message.getEventCase()) {
          case DELTA -> {
            Delta delta = message.getDelta(); // of choice delta.getChoice()
            tokens += delta.getTokenIdsCount();
          }
          case CHOICE_FINISHED -> assertThat(message.getChoiceFinished().getChoice()).isZero();
          default -> {}
        }
      }
      assertThat(stream.finished().orElseThrow().getUsage().getOutputTokens()).isPositive();
    }
    assertThat(tokens).isPositive();
  }

  @Test
  void beCalledBack() throws Exception {
    CompletableFuture<String> answer = new CompletableFuture<>();
    StringBuilder text = new StringBuilder();
    try (SluiceClient client = SluiceClient.create(router)) {
      client.generate(
          GenerateOptions.text("to be").build(),
          new GenerateListener() {
            @Override
            public void onMessage(GenerateResponse message) {
              text.append(message.getDelta().getText());
            }

            @Override
            public void onComplete() {
              answer.complete(text.toString());
            }

            @Override
            public void onFailure(RuntimeException failure) {
              answer.completeExceptionally(failure);
            }
          });
      assertThat(answer.get(20, TimeUnit.SECONDS)).isEqualTo("to be");
    }
  }

  @Test
  void boundTheTimeAndStopEarly() throws Exception {
    try (SluiceClient client =
            SluiceClient.builder(router).timeout(Duration.ofSeconds(20)).build();
        TokenStream stream = client.generate(GenerateOptions.text(FakeGeneration.ENDLESS))) {
      for (String text : stream.texts()) {
        if (!text.isEmpty()) {
          break; // closing the stream stops the generation
        }
      }
    }
    assertThat(service.cancelled.await(20, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void surviveTheLossOfARouter() {
    RetryPolicy patient =
        RetryPolicy.DEFAULTS.withTimeouts(Duration.ofSeconds(10), Duration.ofMinutes(2));
    try (SluiceClient client =
            SluiceClient.builder("localhost:1," + router).retry(patient).build();
        TokenStream stream = client.generate(GenerateOptions.text("to be"))) {
      assertThat(stream.readText()).isEqualTo("to be");
    }
  }

  @Test
  void callAnotherService() {
    try (SluiceClient client = SluiceClient.create(router)) {
      assertThat(
              GenerationServiceGrpc.newBlockingStub(client.channel())
                  .listModels(ListModelsRequest.getDefaultInstance())
                  .getModelsList())
          .hasSize(1);
    }
  }
}
