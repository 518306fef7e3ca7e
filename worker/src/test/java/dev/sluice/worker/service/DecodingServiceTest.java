package dev.sluice.worker.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.v1.Beam;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.GenerateOnceRequest;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerateResult;
import dev.sluice.v1.GeneratedChoice;
import dev.sluice.v1.Logprobs;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import dev.sluice.v1.TokenIds;
import dev.sluice.v1.TokenLogprob;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a client can ask of decoding, over a socket. */
@Timeout(60)
final class DecodingServiceTest {
  private static WorkerFixture worker;

  @BeforeAll
  static void start() {
    worker = WorkerFixture.serving();
  }

  @AfterAll
  static void stop() {
    worker.close();
  }

  private static GenerateRequest.Builder request(int promptTokens, int maxTokens) {
    return GenerateRequest.newBuilder()
        .setTokenIds(TokenIds.newBuilder().addAllIds(Collections.nCopies(promptTokens, (int) 'x')))
        .setSampling(Sampling.newBuilder().setSeed(5))
        .setStopping(Stopping.newBuilder().setMaxTokens(maxTokens).setIgnoreEos(true));
  }

  private static GenerateResult once(GenerateRequest.Builder request) {
    return worker
        .generation()
        .generateOnce(GenerateOnceRequest.newBuilder().setRequest(request).build())
        .getResult();
  }

  @Test
  void everyTokenHasItsLogprob() {
    GenerateResult result =
        once(request(9, 6).setLogprobs(Logprobs.newBuilder().setOutput(3).setPrompt(0)));
    GeneratedChoice choice = result.getChoices(0);
    assertThat(choice.getLogprobsList())
        .extracting(TokenLogprob::getTokenId)
        .isEqualTo(choice.getTokenIdsList());
    for (TokenLogprob logprob : choice.getLogprobsList()) {
      assertThat(logprob.getTopCount()).isEqualTo(3);
      assertThat(logprob.getTop(0).getLogprob()).isGreaterThan(logprob.getTop(2).getLogprob());
      if (logprob.getRank() <= 3) {
        assertThat(logprob.getTop(logprob.getRank() - 1).getTokenId())
            .isEqualTo(logprob.getTokenId());
      }
    }
    assertThat(result.getPromptLogprobsList())
        .hasSize(8)
        .allMatch(logprob -> logprob.getTokenId() == 'x' && logprob.getTopCount() == 0);
  }

  @Test
  void promptLogprobsComeInPartsBehindStarted() {
    List<GenerateResponse> messages =
        worker.generate(request(500, 2).setLogprobs(Logprobs.newBuilder().setPrompt(20)).build());
    assertThat(messages.getFirst().hasStarted()).isTrue();
    int position = 1;
    int parts = 0;
    for (GenerateResponse message : messages) {
      if (message.hasPromptLogprobs()) {
        assertThat(message.getPromptLogprobs().getFirstPosition()).isEqualTo(position);
        position += message.getPromptLogprobs().getTokensCount();
        parts++;
      }
    }
    assertThat(position).isEqualTo(500);
    assertThat(parts).isGreaterThan(1);
    StreamContent.of(messages); // in order, no message too large
  }

  @Test
  void aPromptThatIsScoredIsComputedAsAWhole() {
    GenerateRequest.Builder request = request(100, 1);
    assertThat(once(request).getStarted().getPromptTokens()).isEqualTo(100);
    assertThat(once(request).getStarted().getCachedPromptTokens()).isPositive();
    request.setLogprobs(Logprobs.newBuilder().setPrompt(0));
    assertThat(once(request).getStarted().getCachedPromptTokens()).isZero();
    assertThat(once(request).getPromptLogprobsCount()).isEqualTo(99);
  }

  @Test
  void eachChoiceGoesItsOwnWay() {
    GenerateResult result = once(request(9, 12).setN(3));
    assertThat(result.getChoicesList())
        .hasSize(3)
        .allMatch(choice -> choice.getTokenIdsCount() == 12)
        .extracting(GeneratedChoice::getTokenIdsList)
        .doesNotHaveDuplicates();
    assertThat(result.getFinished().getUsage().getOutputTokens()).isEqualTo(36);
    // the first choice is what it is alone
    assertThat(result.getChoices(0).getTokenIdsList())
        .isEqualTo(once(request(9, 12)).getChoices(0).getTokenIdsList());
  }

  @Test
  void beamsComeBestFirst() {
    GenerateResult result =
        once(
            request(9, 8)
                .clearSampling()
                .setBeam(Beam.newBuilder().setWidth(4))
                .setN(2)
                .setLogprobs(Logprobs.newBuilder().setOutput(0)));
    assertThat(result.getChoicesCount()).isEqualTo(2);
    List<Double> scores = new ArrayList<>();
    for (GeneratedChoice choice : result.getChoicesList()) {
      double logprob =
          choice.getLogprobsList().stream().mapToDouble(TokenLogprob::getLogprob).sum();
      scores.add(choice.getFinished().getScore());
      assertThat(choice.getFinished().getScore())
          .isCloseTo(logprob / choice.getTokenIdsCount(), within(1e-4));
      assertThat(choice.getFinished().getReason()).isEqualTo(FinishReason.FINISH_REASON_LENGTH);
    }
    assertThat(scores.get(0)).isGreaterThan(scores.get(1));
    assertThat(result.getFinished().getUsage().getOutputTokens()).isEqualTo(16);
  }

  @Test
  void onlyAllowedTokensAreChosen() {
    GenerateRequest.Builder request = request(3, 30);
    request.getSamplingBuilder().addAllowedTokenIds('a').addAllowedTokenIds('b');
    assertThat(once(request).getChoices(0).getText()).matches("[ab]{30}");
    request.getSamplingBuilder().addBannedTokenIds('a');
    assertThat(once(request).getChoices(0).getText()).matches("b{30}");
    request.getSamplingBuilder().addBannedTokenIds('b');
    StatusRuntimeException refused =
        catchThrowableOfType(StatusRuntimeException.class, () -> once(request));
    assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(refused.getStatus().getDescription()).contains("every token is banned");
  }
}
