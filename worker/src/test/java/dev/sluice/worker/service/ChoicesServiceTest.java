package dev.sluice.worker.service;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.Finished;
import dev.sluice.v1.GenerateOnceRequest;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerateResult;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Started;
import dev.sluice.v1.Stopping;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several choices, and prompts that begin alike, over a real socket. */
@Timeout(60)
final class ChoicesServiceTest {
  private static final String PROMPT = "Sixteen ways to go on from here.";

  /** What a stream said of each choice. */
  private record Told(
      Map<Integer, String> texts,
      Map<Integer, ChoiceFinished> ends,
      Started started,
      Finished finished) {}

  private static Told told(List<GenerateResponse> responses) {
    Map<Integer, String> texts = new HashMap<>();
    Map<Integer, ChoiceFinished> ends = new HashMap<>();
    Started.Builder started = Started.newBuilder();
    Finished.Builder finished = Finished.newBuilder();
    for (GenerateResponse response : responses) {
      switch (response.getEventCase()) {
        case STARTED -> started.mergeFrom(response.getStarted());
        case DELTA -> {
          int choice = response.getDelta().getChoice();
          assertThat(ends).as("after its end").doesNotContainKey(choice);
          texts.merge(choice, response.getDelta().getText(), String::concat);
        }
        case CHOICE_FINISHED -> {
          ChoiceFinished end = response.getChoiceFinished();
          assertThat(ends.put(end.getChoice(), end)).isNull();
        }
        case FINISHED -> finished.mergeFrom(response.getFinished());
        case PROMPT_LOGPROBS, EVENT_NOT_SET -> throw new AssertionError(response);
      }
    }
    return new Told(texts, ends, started.build(), finished.build());
  }

  private static GenerateRequest.Builder request(int n) {
    return GenerateRequest.newBuilder()
        .setText(PROMPT)
        .setN(n)
        .setSampling(Sampling.newBuilder().setTemperature(1).setSeed(11))
        .setStopping(Stopping.newBuilder().setMaxTokens(40).setIgnoreEos(true));
  }

  @Test
  void everyChoiceHasItsOwnTextAndEnd() throws Exception {
    try (WorkerFixture worker = WorkerFixture.serving()) {
      Told five = told(worker.generate(request(5).build()));
      assertThat(five.texts()).hasSize(5);
      assertThat(five.texts().values()).doesNotHaveDuplicates();
      assertThat(five.finished().getUsage().getOutputTokens()).isEqualTo(5 * 40);
      assertThat(five.finished().getUsage().getPromptTokens()).isEqualTo(PROMPT.length());
      assertThat(five.ends().values())
          .allMatch(end -> end.getReason() == FinishReason.FINISH_REASON_LENGTH);

      // the first choices of a request do not depend on how many there are
      Told two = told(worker.generate(request(2).build()));
      assertThat(two.texts()).isEqualTo(Map.of(0, five.texts().get(0), 1, five.texts().get(1)));

      GenerateResult once =
          worker
              .generation()
              .generateOnce(GenerateOnceRequest.newBuilder().setRequest(request(5)).build())
              .getResult();
      assertThat(once.getChoicesCount()).isEqualTo(5);
      for (int choice = 0; choice < 5; choice++) {
        assertThat(once.getChoices(choice).getText()).isEqualTo(five.texts().get(choice));
        assertThat(once.getChoices(choice).getTokenIdsCount()).isEqualTo(40);
      }
    }
  }

  @Test
  void aStopStringEndsItsChoiceOnly() throws Exception {
    try (WorkerFixture worker = WorkerFixture.serving()) {
      String second = requireNonNull(told(worker.generate(request(3).build())).texts().get(1));
      String stop = second.substring(10, 14);
      GenerateRequest.Builder stopping = request(3);
      stopping.getStoppingBuilder().addStop(stop);
      Told told = told(worker.generate(stopping.build()));
      assertThat(told.texts().get(1)).isEqualTo(second.substring(0, second.indexOf(stop)));
      assertThat(requireNonNull(told.ends().get(1)).getStop()).isEqualTo(stop);
      assertThat(told.ends()).hasSize(3);
    }
  }

  @Test
  void cachedTokensAreCountedAndSaltsKeptApart() throws Exception {
    try (WorkerFixture worker = WorkerFixture.serving()) {
      int blocks = (PROMPT.length() - 1) / 4; // the last token is always computed
      for (String salt : List.of("", "a", "b")) {
        GenerateRequest request = request(1).setCacheSalt(salt).build();
        Told first = told(worker.generate(request));
        assertThat(first.started().getCachedPromptTokens()).isZero();
        Told second = told(worker.generate(request));
        assertThat(second.started().getCachedPromptTokens()).isEqualTo(4 * blocks);
        assertThat(second.finished().getUsage().getCachedPromptTokens()).isEqualTo(4 * blocks);
        assertThat(second.texts()).isEqualTo(first.texts());
      }
    }
  }
}
