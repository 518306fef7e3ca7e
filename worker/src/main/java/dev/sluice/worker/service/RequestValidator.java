package dev.sluice.worker.service;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.v1.Beam;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.RouterHop;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import dev.sluice.worker.engine.BeamParams;
import dev.sluice.worker.sampling.Penalties;
import dev.sluice.worker.sampling.SamplingParams;
import dev.sluice.worker.sampling.TokenRules;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * Turns a request into a {@link GenerationPlan}, or refuses it naming every violated field at once.
 *
 * <p>Threading: immutable.
 */
final class RequestValidator {
  private static final int MAX_NAME = 128;
  private static final int MAX_CHOICES = 16;
  private static final int MAX_LENGTH_PENALTY = 10;
  private static final int MAX_STOPS = 16;
  private static final int MAX_STOP_LENGTH = 256;
  private static final int MAX_STOP_TOKENS = 64;

  private final String modelId;
  private final Set<String> modelNames;
  private final int vocabularySize;
  private final String tokenizerFingerprint;
  private final LongSupplier randomSeed;

  /**
   * @param modelId the model served
   * @param aliases its other names
   * @param vocabularySize token ids are below it
   * @param tokenizerFingerprint of the tokenizer that made token ids acceptable from a router
   * @param randomSeed gives a seed to requests without one
   */
  RequestValidator(
      String modelId,
      List<String> aliases,
      int vocabularySize,
      String tokenizerFingerprint,
      LongSupplier randomSeed) {
    this.modelId = modelId;
    this.modelNames = new HashSet<>(aliases);
    this.modelNames.add(modelId);
    this.vocabularySize = vocabularySize;
    this.tokenizerFingerprint = tokenizerFingerprint;
    this.randomSeed = randomSeed;
  }

  /**
   * @throws RefusalException with {@link Refusal.NotFound} for another model, {@link
   *     Refusal.Invalid} for all violations together, {@link Refusal.Unserviceable} for another
   *     tokenizer's ids
   */
  GenerationPlan validate(GenerateRequest request) {
    checkModel(request.getModel());
    Violations violations = new Violations();
    PromptSource prompt = prompt(request, violations);
    checkNames(request, violations);
    checkSampling(request.getSampling(), violations);
    checkStopping(request.getStopping(), violations);
    checkOthers(request, violations);
    ConstraintFields.check(request, violations);
    if (request.getHop().hasResume() && choices(request) >= 1 && choices(request) <= MAX_CHOICES) {
      ResumePoint.check(request.getHop().getResume(), choices(request), vocabularySize, violations);
    }
    violations.throwIfAny();

    Sampling sampling = request.getSampling();
    Stopping stopping = request.getStopping();
    RouterHop hop = request.getHop();
    long seed =
        sampling.hasSeed()
            ? sampling.getSeed()
            : hop.hasSeed() ? hop.getSeed() : randomSeed.getAsLong();
    return new GenerationPlan(
        request.getRequestId().isEmpty()
            ? "req-" + Long.toHexString(randomSeed.getAsLong())
            : request.getRequestId(),
        request.getTenant().isEmpty() ? "default" : request.getTenant(),
        request.getCacheSalt(),
        prompt,
        samplingParams(sampling, seed),
        choices(request),
        request.hasBeam() ? Optional.of(beam(request)) : Optional.empty(),
        request.getLogprobs().hasOutput()
            ? OptionalInt.of(request.getLogprobs().getOutput())
            : OptionalInt.empty(),
        request.getLogprobs().hasPrompt()
            ? OptionalInt.of(request.getLogprobs().getPrompt())
            : OptionalInt.empty(),
        stopping.hasMaxTokens() ? OptionalInt.of(stopping.getMaxTokens()) : OptionalInt.empty(),
        stopping.getMinTokens(),
        stopping.getStopList(),
        stopping.getStopTokenIdsList(),
        stopping.getIncludeStop(),
        stopping.getIgnoreEos(),
        Math.max(1, hop.getAttempt()),
        hop.getAdmissionWaitNanos(),
        hop.hasResume()
            ? Optional.of(ResumePoint.of(hop.getResume(), choices(request)))
            : Optional.empty(),
        Urgency.of(request));
  }

  private static BeamParams beam(GenerateRequest request) {
    Beam beam = request.getBeam();
    return new BeamParams(
        beam.getWidth(),
        choices(request),
        beam.hasLengthPenalty() ? beam.getLengthPenalty() : 1,
        beam.getEarlyStopping());
  }

  private static int choices(GenerateRequest request) {
    return request.hasN() ? request.getN() : 1;
  }

  private static SamplingParams samplingParams(Sampling s, long seed) {
    return new SamplingParams(
        s.hasTemperature() ? s.getTemperature() : 1,
        s.getTopK(),
        s.hasTopP() ? s.getTopP() : 1,
        s.getMinP(),
        s.hasTypicalP() ? s.getTypicalP() : 1,
        new Penalties(
            s.hasRepetitionPenalty() ? s.getRepetitionPenalty() : 1,
            s.getPresencePenalty(),
            s.getFrequencyPenalty()),
        new TokenRules(
            s.getLogitBiasMap(), ids(s.getAllowedTokenIdsList()), ids(s.getBannedTokenIdsList())),
        seed);
  }

  private static int[] ids(List<Integer> list) {
    return list.stream().mapToInt(Integer::intValue).toArray();
  }

  /** Accepts the model's names, and none. */
  void checkModel(String model) {
    if (!model.isEmpty() && !modelNames.contains(model)) {
      throw new RefusalException(
          new Refusal.NotFound(
              "model", model, "model: \"" + model + "\" (expected: " + modelId + ")"));
    }
  }

  private PromptSource prompt(GenerateRequest request, Violations violations) {
    if (request.getHop().getPromptTokenIdsCount() > 0) {
      RouterHop hop = request.getHop();
      if (!hop.getTokenizerFingerprint().equals(tokenizerFingerprint)) {
        throw new RefusalException(
            new Refusal.Unserviceable(
                "TOKENIZER_MISMATCH",
                "hop.tokenizer_fingerprint: \""
                    + hop.getTokenizerFingerprint()
                    + "\" (expected: \""
                    + tokenizerFingerprint
                    + "\")",
                Map.of("expected", tokenizerFingerprint)));
      }
      return tokens("hop.prompt_token_ids", hop.getPromptTokenIdsList(), violations);
    }
    return switch (request.getPromptCase()) {
      case TEXT -> {
        violations.check(!request.getText().isEmpty(), "text", "empty (expected: some text)");
        yield new PromptSource.Text(request.getText());
      }
      case TOKEN_IDS -> {
        List<Integer> ids = request.getTokenIds().getIdsList();
        violations.check(!ids.isEmpty(), "token_ids.ids", "empty (expected: at least 1 token id)");
        yield tokens("token_ids.ids", ids, violations);
      }
      case CHAT -> {
        ChatChecks.check(request.getChat(), violations);
        yield new PromptSource.Chat(request.getChat());
      }
      case PROMPT_NOT_SET -> {
        violations.add("prompt", "not set (expected: one of text, token_ids, chat)");
        yield new PromptSource.Text("");
      }
    };
  }

  private PromptSource tokens(String field, List<Integer> ids, Violations violations) {
    checkTokens(field, ids, violations);
    return new PromptSource.Tokens(ids);
  }

  private void checkTokens(String field, Iterable<Integer> ids, Violations violations) {
    TokenChecks.check(field, ids, vocabularySize, violations);
  }

  private static void checkNames(GenerateRequest request, Violations violations) {
    checkLength("request_id", request.getRequestId(), violations);
    checkLength("tenant", request.getTenant(), violations);
    checkLength("session_id", request.getSessionId(), violations);
    checkLength("cache_salt", request.getCacheSalt(), violations);
  }

  private static void checkLength(String field, String value, Violations violations) {
    violations.check(
        value.length() <= MAX_NAME,
        field,
        value.length() + " characters (expected: at most " + MAX_NAME + ")");
  }

  private void checkSampling(Sampling s, Violations violations) {
    violations.range(
        "sampling.temperature", s.hasTemperature() ? s.getTemperature() : 1, 0, 2, false);
    violations.check(
        s.getTopK() >= 0,
        "sampling.top_k",
        Integer.toUnsignedString(s.getTopK()) + " (expected: 0 to 2147483647)");
    violations.range("sampling.top_p", s.hasTopP() ? s.getTopP() : 1, 0, 1, true);
    violations.range("sampling.min_p", s.getMinP(), 0, 1, false);
    violations.range("sampling.typical_p", s.hasTypicalP() ? s.getTypicalP() : 1, 0, 1, true);
    violations.range(
        "sampling.repetition_penalty",
        s.hasRepetitionPenalty() ? s.getRepetitionPenalty() : 1,
        0,
        2,
        true);
    violations.range("sampling.presence_penalty", s.getPresencePenalty(), -2, 2, false);
    violations.range("sampling.frequency_penalty", s.getFrequencyPenalty(), -2, 2, false);
    s.getLogitBiasMap().forEach((token, bias) -> checkBias(token, bias, violations));
    checkTokens("sampling.allowed_token_ids", s.getAllowedTokenIdsList(), violations);
    checkTokens("sampling.banned_token_ids", s.getBannedTokenIdsList(), violations);
  }

  private void checkBias(int token, float bias, Violations violations) {
    String field = "sampling.logit_bias[" + Integer.toUnsignedString(token) + "]";
    violations.check(
        Integer.compareUnsigned(token, vocabularySize) < 0,
        field,
        "no such token (expected: 0 to " + (vocabularySize - 1) + ")");
    violations.range(field, bias, -100, 100, false);
  }

  private void checkStopping(Stopping s, Violations violations) {
    violations.check(
        !s.hasMaxTokens() || s.getMaxTokens() > 0,
        "stopping.max_tokens",
        Integer.toUnsignedString(s.getMaxTokens()) + " (expected: 1 to 2147483647)");
    violations.check(
        s.getMinTokens() >= 0 && (!s.hasMaxTokens() || s.getMinTokens() <= s.getMaxTokens()),
        "stopping.min_tokens",
        Integer.toUnsignedString(s.getMinTokens())
            + " (expected: 0 to max_tokens"
            + (s.hasMaxTokens() ? ", " + s.getMaxTokens() : "")
            + ")");
    violations.check(
        s.getStopCount() <= MAX_STOPS,
        "stopping.stop",
        s.getStopCount() + " strings (expected: at most " + MAX_STOPS + ")");
    for (int i = 0; i < Math.min(s.getStopCount(), MAX_STOPS + 1); i++) {
      int length = s.getStop(i).length();
      violations.check(
          length >= 1 && length <= MAX_STOP_LENGTH,
          "stopping.stop[" + i + "]",
          length + " characters (expected: 1 to " + MAX_STOP_LENGTH + ")");
    }
    violations.check(
        s.getStopTokenIdsCount() <= MAX_STOP_TOKENS,
        "stopping.stop_token_ids",
        s.getStopTokenIdsCount() + " tokens (expected: at most " + MAX_STOP_TOKENS + ")");
    checkTokens("stopping.stop_token_ids", s.getStopTokenIdsList(), violations);
  }

  private static void checkOthers(GenerateRequest request, Violations violations) {
    if (request.hasN()) {
      violations.unsigned("n", request.getN(), 1, MAX_CHOICES);
    }
    if (request.hasBeam()) {
      checkBeam(request, violations);
    }
    if (request.getLogprobs().hasOutput()) {
      violations.unsigned("logprobs.output", request.getLogprobs().getOutput(), 0, 20);
    }
    if (request.getLogprobs().hasPrompt()) {
      violations.unsigned("logprobs.prompt", request.getLogprobs().getPrompt(), 0, 20);
    }
    Urgency.check(request, violations);
  }

  private static void checkBeam(GenerateRequest request, Violations violations) {
    Beam beam = request.getBeam();
    violations.unsigned("beam.width", beam.getWidth(), 1, MAX_CHOICES);
    violations.range(
        "beam.length_penalty",
        beam.hasLengthPenalty() ? beam.getLengthPenalty() : 1,
        -MAX_LENGTH_PENALTY,
        MAX_LENGTH_PENALTY,
        false);
    violations.check(
        Integer.compareUnsigned(choices(request), beam.getWidth()) <= 0,
        "n",
        Integer.toUnsignedString(choices(request))
            + " (expected: at most beam.width, "
            + Integer.toUnsignedString(beam.getWidth())
            + ")");
    violations.check(
        !request.hasSampling(), "sampling", "set beside beam (expected: one of the two)");
    violations.check(
        request.getStopping().getStopCount() == 0,
        "stopping.stop",
        "set beside beam (expected: none; stop_token_ids can be used)");
  }
}
