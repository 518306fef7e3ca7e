package dev.sluice.router.http;

import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.Delta;
import dev.sluice.v1.PromptLogprobs;
import dev.sluice.v1.Started;
import dev.sluice.v1.Usage;

/**
 * Makes an HTTP answer of what the model says. Choices are numbered over all prompts: those of the
 * first, then those of the second.
 *
 * <p>Threading: the event loop of the exchange.
 */
sealed interface Answer permits StreamedAnswer, WholeAnswer {
  /** A prompt has its first token. */
  void started(int prompt, Started started);

  /** The next log-probabilities of a prompt's tokens. */
  void promptLogprobs(int prompt, PromptLogprobs part);

  /** New tokens of a choice. */
  void delta(int choice, Delta delta);

  /** A choice is complete. */
  void choiceFinished(int choice, ChoiceFinished finished);

  /** All prompts are complete; nothing comes after it. */
  void finished(Usage total);
}
