package dev.sluice.worker.engine;

import dev.sluice.common.error.Refusal;
import dev.sluice.worker.sampling.TokenLogprob;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Keeps what a listener hears, and notices callbacks that break the contract. */
class Recorder implements GenerationListener {
  final List<Integer> tokens = new ArrayList<>();
  final List<TokenLogprob> promptLogprobs = new ArrayList<>();
  final List<TokenLogprob> logprobs = new ArrayList<>();
  final List<String> violations = new ArrayList<>();
  private final CompletableFuture<Outcome> outcome = new CompletableFuture<>();
  private Optional<PrefillSummary> prefill = Optional.empty();
  private Optional<FinishCause> cause = Optional.empty();
  private boolean ended;

  /** All that was heard of one task. */
  record Outcome(
      List<Integer> tokens,
      Optional<PrefillSummary> prefill,
      Optional<FinishCause> cause,
      Optional<Refusal> refusal,
      GenerationSummary summary) {}

  @Override
  public void onPrefilled(PrefillSummary summary) {
    check(!ended && prefill.isEmpty() && tokens.isEmpty(), "onPrefilled");
    prefill = Optional.of(summary);
  }

  @Override
  public void onPromptLogprob(TokenLogprob logprob) {
    check(!ended && prefill.isEmpty(), "onPromptLogprob");
    promptLogprobs.add(logprob);
  }

  @Override
  public void onLogprob(int choice, TokenLogprob logprob) {
    check(!ended && prefill.isPresent() && logprobs.size() == tokens.size(), "onLogprob");
    logprobs.add(logprob);
  }

  @Override
  public void onToken(int choice, int tokenId, boolean ending, long nanos) {
    check(choice == 0 && !ended && prefill.isPresent() && cause.isEmpty(), "onToken");
    tokens.add(tokenId);
  }

  @Override
  public void onChoiceFinished(int choice, FinishCause finishCause) {
    check(choice == 0 && !ended && cause.isEmpty(), "onChoiceFinished");
    cause = Optional.of(finishCause);
  }

  @Override
  public void onComplete(GenerationSummary summary) {
    check(!ended && cause.isPresent(), "onComplete");
    end(Optional.empty(), summary);
  }

  @Override
  public void onFailed(Refusal refusal, GenerationSummary summary) {
    check(!ended, "onFailed");
    end(Optional.of(refusal), summary);
  }

  private void check(boolean holds, String callback) {
    if (!holds) {
      violations.add(callback + " after " + tokens.size() + " tokens");
    }
  }

  private void end(Optional<Refusal> refusal, GenerationSummary summary) {
    ended = true;
    outcome.complete(new Outcome(List.copyOf(tokens), prefill, cause, refusal, summary));
  }

  boolean isDone() {
    return outcome.isDone();
  }

  /** What was heard, once the task has ended. */
  Outcome await() throws Exception {
    return outcome.get(60, TimeUnit.SECONDS);
  }
}
