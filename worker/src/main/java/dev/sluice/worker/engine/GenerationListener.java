package dev.sluice.worker.engine;

import dev.sluice.common.error.Refusal;
import dev.sluice.worker.sampling.TokenLogprob;

/**
 * Hears what becomes of one task. Order: {@link #onPrefilled} once, immediately before the first
 * {@link #onToken}; tokens; {@link #onChoiceFinished}; {@link #onComplete}. {@link #onFailed} may
 * come at any point instead. Exactly one of {@link #onComplete} and {@link #onFailed} is called,
 * last.
 *
 * <p>Threading: called on the engine thread, possibly before {@link GenerationEngine#submit} has
 * returned. Must not block: the engine serves nobody meanwhile. An exception fails this request and
 * no other.
 */
public interface GenerationListener {
  /** The prompt is computed and the first token is about to come. */
  void onPrefilled(PrefillSummary prefill);

  /**
   * The log-probability of a token of the prompt, if asked for: of its second token first, then of
   * each, all before {@link #onPrefilled}.
   */
  default void onPromptLogprob(TokenLogprob logprob) {}

  /**
   * The log-probability of the next token of a choice, if asked for; {@link #onToken} follows at
   * once.
   */
  default void onLogprob(int choice, TokenLogprob logprob) {}

  /**
   * The next token of a choice.
   *
   * @param choice from 0
   * @param tokenId the token
   * @param ending whether it is the end-of-sequence or stop token that ends the choice; then {@link
   *     #onChoiceFinished} follows at once
   * @param nanos when, on the engine's clock
   */
  void onToken(int choice, int tokenId, boolean ending, long nanos);

  /**
   * The next text of a choice, from an engine that gives text in place of tokens.
   *
   * @param choice from 0
   * @param text never ends in half a character
   * @param tokens how many tokens it is counted as
   */
  default void onText(int choice, String text, int tokens) {
    throw new UnsupportedOperationException("text in place of tokens");
  }

  /** What a beam is worth; all its tokens were heard, {@link #onChoiceFinished} follows. */
  default void onScore(int choice, double score) {}

  /** No more tokens of this choice. */
  void onChoiceFinished(int choice, FinishCause cause);

  /** The task is complete and holds no memory any more. */
  void onComplete(GenerationSummary summary);

  /** The task has failed, for the reason given, and holds no memory any more. */
  void onFailed(Refusal refusal, GenerationSummary summary);
}
