package dev.sluice.worker.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.v1.Beam;
import dev.sluice.v1.ChatMessage;
import dev.sluice.v1.ChatMessages;
import dev.sluice.v1.Constraint;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.RouterHop;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import dev.sluice.v1.TokenIds;
import java.util.List;
import org.junit.jupiter.api.Test;

final class RequestValidatorTest {
  private final RequestValidator validator =
      new RequestValidator("smol", List.of("default"), 100, "f00d", () -> 42L);

  @Test
  void defaultsAreTheDocumentedOnes() {
    GenerationPlan plan = validator.validate(text("hi").build());
    assertThat(plan.requestId()).isEqualTo("req-2a");
    assertThat(plan.tenant()).isEqualTo("default");
    assertThat(plan.sampling().temperature()).isEqualTo(1f);
    assertThat(plan.sampling().topK()).isZero();
    assertThat(plan.sampling().topP()).isEqualTo(1f);
    assertThat(plan.sampling().seed()).isEqualTo(42);
    assertThat(plan.maxTokens()).isEmpty();
    assertThat(plan.attempt()).isEqualTo(1);
  }

  @Test
  void everyViolationIsNamedAtOnce() {
    Refusal.Invalid invalid =
        invalid(
            GenerateRequest.newBuilder()
                .setSampling(
                    Sampling.newBuilder()
                        .setTemperature(-1)
                        .setTopP(0)
                        .setMinP(Float.NaN)
                        .setPresencePenalty(2.5f)
                        .putLogitBias(7, 101)
                        .addBannedTokenIds(100))
                .setStopping(Stopping.newBuilder().setMaxTokens(0).addStop("").addStopTokenIds(-1))
                .setN(17)
                .setPriority(101)
                .setTenant("t".repeat(129))
                .build());
    assertThat(invalid.violations())
        .extracting(v -> v.field() + ": " + v.description())
        .containsExactlyInAnyOrder(
            "prompt: not set (expected: one of text, token_ids, chat)",
            "tenant: 129 characters (expected: at most 128)",
            "sampling.temperature: -1 (expected: 0 to 2)",
            "sampling.top_p: 0 (expected: above 0 to 1)",
            "sampling.min_p: NaN (expected: 0 to 1)",
            "sampling.presence_penalty: 2.5 (expected: -2 to 2)",
            "sampling.logit_bias[7]: 101 (expected: -100 to 100)",
            "sampling.banned_token_ids[0]: 100 (expected: 0 to 99)",
            "stopping.max_tokens: 0 (expected: 1 to 2147483647)",
            "stopping.stop[0]: 0 characters (expected: 1 to 256)",
            "stopping.stop_token_ids[0]: 4294967295 (expected: 0 to 99)",
            "n: 17 (expected: 1 to 16)",
            "priority: 101 (expected: -100 to 100)");
  }

  @Test
  void tokenOutsideTheVocabularyIsNamedWithItsIndex() {
    GenerateRequest request =
        GenerateRequest.newBuilder()
            .setTokenIds(TokenIds.newBuilder().addIds(3).addIds(100))
            .build();
    assertThat(invalid(request).message()).isEqualTo("token_ids.ids[1]: 100 (expected: 0 to 99)");
  }

  @Test
  void beamsExcludeWhatTheyCannotObey() {
    Refusal.Invalid invalid =
        invalid(
            text("hi")
                .setBeam(Beam.newBuilder().setWidth(2).setLengthPenalty(Float.NaN))
                .setN(3)
                .setSampling(Sampling.newBuilder().setPresencePenalty(1))
                .setConstraint(Constraint.newBuilder().setRegex("a"))
                .setStopping(Stopping.newBuilder().addStop("x"))
                .build());
    assertThat(invalid.violations())
        .extracting(v -> v.field() + ": " + v.description())
        .containsExactlyInAnyOrder(
            "beam.length_penalty: NaN (expected: -10 to 10)",
            "n: 3 (expected: at most beam.width, 2)",
            "sampling: set beside beam (expected: one of the two)",
            "constraint: set beside beam (expected: one of the two)",
            "stopping.stop: set beside beam (expected: none; stop_token_ids can be used)");
  }

  @Test
  void otherModelIsNotFound() {
    RefusalException refused =
        catchThrowableOfType(
            RefusalException.class, () -> validator.validate(text("hi").setModel("gpt-9").build()));
    assertThat(refused.refusal())
        .isEqualTo(new Refusal.NotFound("model", "gpt-9", "model: \"gpt-9\" (expected: smol)"));
    assertThat(validator.validate(text("hi").setModel("default").build())).isNotNull();
  }

  @Test
  void tokensOfAnotherTokenizerAreRefused() {
    RefusalException refused =
        catchThrowableOfType(
            RefusalException.class,
            () ->
                validator.validate(
                    GenerateRequest.newBuilder()
                        .setHop(
                            RouterHop.newBuilder()
                                .addPromptTokenIds(1)
                                .setTokenizerFingerprint("beef"))
                        .build()));
    assertThat(refused.refusal()).isInstanceOf(Refusal.Unserviceable.class);
    assertThat(((Refusal.Unserviceable) refused.refusal()).reason())
        .isEqualTo("TOKENIZER_MISMATCH");
  }

  @Test
  void chatNeedsMessagesWithRoles() {
    GenerateRequest request =
        GenerateRequest.newBuilder()
            .setChat(ChatMessages.newBuilder().addMessages(ChatMessage.newBuilder()))
            .build();
    assertThat(invalid(request).message())
        .isEqualTo("chat.messages[0].role: empty (expected: a role such as \"user\")");
  }

  private Refusal.Invalid invalid(GenerateRequest request) {
    return (Refusal.Invalid)
        catchThrowableOfType(RefusalException.class, () -> validator.validate(request)).refusal();
  }

  private static GenerateRequest.Builder text(String text) {
    return GenerateRequest.newBuilder().setText(text);
  }
}
