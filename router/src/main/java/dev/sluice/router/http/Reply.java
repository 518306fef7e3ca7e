package dev.sluice.router.http;

import dev.sluice.router.edge.TokenTexts;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The form in which a client wants its answer.
 *
 * @param shape that of the endpoint
 * @param id of the answer
 * @param createdSeconds since 1970
 * @param stream whether by server-sent events
 * @param usage whether a stream ends with its usage
 * @param runningUsage whether each event tells the usage so far
 * @param topLogprobs how many likely tokens are told beside each output token; empty: no
 *     log-probabilities
 * @param promptLogprobs likewise for prompt tokens, in vLLM's form
 * @param prompts what is known of the prompts before they are run, in order
 * @param choicesPerPrompt 1 to 16
 * @param echo whether the text of the prompt comes before that of the output
 * @param tokenIds whether token ids are told
 * @param discardOutput whether the output, which must have a token, was not asked for
 * @param texts of single tokens; present if log-probabilities are told
 */
record Reply(
    Shape shape,
    String id,
    long createdSeconds,
    boolean stream,
    boolean usage,
    boolean runningUsage,
    OptionalInt topLogprobs,
    OptionalInt promptLogprobs,
    List<Prompt> prompts,
    int choicesPerPrompt,
    boolean echo,
    boolean tokenIds,
    boolean discardOutput,
    Optional<TokenTexts> texts) {
  Reply {
    prompts = List.copyOf(prompts);
  }

  /**
   * A prompt, as far as the answer needs it.
   *
   * @param text empty unless it is echoed
   * @param tokenIds empty unless they are told
   */
  record Prompt(String text, List<Integer> tokenIds) {
    Prompt {
      tokenIds = List.copyOf(tokenIds);
    }
  }

  /** Number of choices of the whole answer. */
  int choices() {
    return prompts.size() * choicesPerPrompt;
  }
}
