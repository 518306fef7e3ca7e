package dev.sluice.router.proxy;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.common.telemetry.GenAi;
import dev.sluice.router.prompt.TokenizedPrompt;
import dev.sluice.v1.ChoiceProgress;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.Resume;
import dev.sluice.v1.RouterHop;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import io.opentelemetry.api.trace.Span;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.random.RandomGenerator;

/**
 * What the router does with a GenerateRequest and with the end of its answer, for Generate and
 * GenerateOnce alike. Only what the router itself uses is validated here; the rest is the worker's
 * to judge.
 */
final class GenerateRequests {
  private static final int MAX_NAME_CHARACTERS = 128;
  private static final RouterHop EMPTY_HOP = RouterHop.getDefaultInstance();

  private GenerateRequests() {}

  /** Chat or plain completion, by the GenAI convention's names. */
  static String operation(GenerateRequest request) {
    return request.hasChat() ? "chat" : "text_completion";
  }

  static Prepared<GenerateRequest> prepare(GenerateRequest request, Preparation with) {
    List<Refusal.Violation> violations = new ArrayList<>();
    Optional<Resume> resume =
        request.getHop().hasResume() ? Optional.of(request.getHop().getResume()) : Optional.empty();
    if (request.hasHop() && !onlyResume(request.getHop())) {
      violations.add(
          new Refusal.Violation(
              "hop", "is set (expected: absent, or resume alone; only a router may send more)"));
    }
    resume.ifPresent(r -> checkResume(request, r, violations));
    int length = request.getRequestId().length();
    if (length > MAX_NAME_CHARACTERS) {
      violations.add(
          new Refusal.Violation(
              "request_id",
              length + " characters (expected: at most " + MAX_NAME_CHARACTERS + ")"));
    }
    Demands.check(request, violations);
    if (!violations.isEmpty()) {
      throw new RefusalException(new Refusal.Invalid(violations));
    }
    GenerateRequest complete =
        length > 0
            ? request
            : request.toBuilder().setRequestId(newRequestId(with.random())).build();
    Optional<TokenizedPrompt> tokens = with.prompts().tokenize(request);
    return new Prepared<>(
        complete,
        complete.getRequestId(),
        request.getModel(),
        request.getSampling().hasSeed()
            ? OptionalLong.empty()
            : OptionalLong.of(with.random().nextLong()),
        !request.hasBeam(),
        Affinities.of(request),
        tokens.map(TokenizedPrompt::count).orElseGet(() -> PromptSize.estimate(request)),
        tokens,
        resume);
  }

  private static boolean onlyResume(RouterHop hop) {
    return hop.hasResume() && hop.toBuilder().clearResume().build().equals(EMPTY_HOP);
  }

  /** A client may go on with its stream at another router; the rest is the worker's to judge. */
  private static void checkResume(
      GenerateRequest request, Resume resume, List<Refusal.Violation> violations) {
    if (resume.getNextSequence() < 2) {
      violations.add(
          new Refusal.Violation(
              "hop.resume.next_sequence",
              Long.toUnsignedString(resume.getNextSequence())
                  + " (expected: at least 2, since Started was received)"));
    }
    for (ChoiceProgress progress : resume.getChoicesList()) {
      if (progress.getChoice() < 0 || progress.getChoice() >= Progress.MAX_CHOICES) {
        violations.add(
            new Refusal.Violation(
                "hop.resume.choices",
                Integer.toUnsignedString(progress.getChoice())
                    + " (expected: choices 0 to "
                    + (Progress.MAX_CHOICES - 1)
                    + ")"));
      }
    }
    if (!request.hasBeam() && !request.getSampling().hasSeed()) {
      violations.add(
          new Refusal.Violation(
              "sampling.seed", "is missing (expected: the seed that Started told)"));
    }
  }

  static GenerateRequest attempt(GenerateRequest request, OptionalLong seed, Dispatch dispatch) {
    RouterHop.Builder hop =
        RouterHop.newBuilder()
            .setAttempt(dispatch.attempt())
            .setAdmissionWaitNanos(dispatch.admissionWaitNanos());
    seed.ifPresent(hop::setSeed);
    dispatch.resume().ifPresent(hop::setResume);
    GenerateRequest.Builder sent = request.toBuilder();
    dispatch
        .tokens()
        .ifPresent(prompt -> {
          hop.setTokenizerFingerprint(prompt.tokenizer().orElseThrow());
          prompt.tokens().forEach(hop::addPromptTokenIds);
          sent.clearPrompt(); // its tokens say it all
        });
    return sent.setHop(hop).build();
  }

  static void describe(GenerateRequest request, Span span) {
    if (!span.isRecording()) {
      return;
    }
    span.setAttribute(Names.TENANT, Demands.tenant(request));
    span.setAttribute(Names.PRIORITY, (long) request.getPriority());
    span.setAttribute(GenAi.REQUEST_CHOICES, request.hasN() ? (long) request.getN() : 1L);
    if (!request.getSessionId().isEmpty()) {
      span.setAttribute(Names.CONVERSATION, request.getSessionId());
    }
    Stopping stopping = request.getStopping();
    if (stopping.hasMaxTokens()) {
      span.setAttribute(GenAi.REQUEST_MAX_TOKENS, (long) stopping.getMaxTokens());
    }
    Sampling sampling = request.getSampling();
    if (sampling.hasTemperature()) {
      span.setAttribute(GenAi.REQUEST_TEMPERATURE, (double) sampling.getTemperature());
    }
    if (sampling.hasTopP()) {
      span.setAttribute(GenAi.REQUEST_TOP_P, (double) sampling.getTopP());
    }
    if (sampling.getTopK() > 0) {
      span.setAttribute(GenAi.REQUEST_TOP_K, (long) sampling.getTopK());
    }
    if (sampling.hasSeed()) {
      span.setAttribute(GenAi.REQUEST_SEED, sampling.getSeed());
    }
  }

  private static String newRequestId(RandomGenerator random) {
    HexFormat hex = HexFormat.of();
    return "req-" + hex.toHexDigits(random.nextLong()) + hex.toHexDigits(random.nextLong());
  }
}
