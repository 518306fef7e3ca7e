package dev.sluice.worker.service;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.v1.ChatMessages;
import dev.sluice.worker.engine.GenerationTask;
import java.util.Optional;
import java.util.function.Function;

/**
 * A prompt as the engine takes it.
 *
 * @param tokens its token ids; none if this process cannot tokenize
 * @param text as text, for an engine that tokenizes itself
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Prompt(int[] tokens, Optional<String> text) {
  /**
   * Renders and tokenizes.
   *
   * @throws RefusalException if the model cannot take it
   */
  static Prompt of(PromptSource source, ServedModel model) {
    Prompt prompt =
        switch (model.form()) {
          case TOKENS -> new Prompt(tokens(source, model), Optional.empty());
          case TEXT -> text(source, model);
        };
    if (prompt.length() == 0) {
      throw RefusalException.invalid("prompt", "0 tokens (expected: at least 1)");
    }
    return prompt;
  }

  private static int[] tokens(PromptSource source, ServedModel model) {
    return switch (source) {
      case PromptSource.Text text -> model.tokenization().prompts().encodeText(text.text());
      case PromptSource.Tokens ids -> ids(ids);
      case PromptSource.Chat chat ->
          model.tokenization().prompts().encodeRendered(render(chat.messages(), model));
    };
  }

  private static Prompt text(PromptSource source, ServedModel model) {
    return switch (source) {
      case PromptSource.Text given ->
          text(given.text(), model, known -> known.prompts().encodeText(given.text()));
      case PromptSource.Chat chat -> {
        String rendered = render(chat.messages(), model);
        yield text(rendered, model, known -> known.prompts().encodeRendered(rendered));
      }
      case PromptSource.Tokens ids -> text(decoded(ids, model), model, _ -> ids(ids));
    };
  }

  /** Text with its tokens, if this process can tokenize. */
  private static Prompt text(
      String text, ServedModel model, Function<Tokenization, int[]> tokenized) {
    return new Prompt(
        model.tokenizing().map(tokenized).orElseGet(() -> new int[0]), Optional.of(text));
  }

  private static int[] ids(PromptSource.Tokens source) {
    return source.ids().stream().mapToInt(Integer::intValue).toArray();
  }

  private static String decoded(PromptSource.Tokens ids, ServedModel model) {
    if (model.tokenizing().isEmpty()) {
      throw new RefusalException(
          new Refusal.Unimplemented(
              "token_ids",
              "token_ids: set (expected: text, as the model takes no ids and the worker has no"
                  + " tokenizer)"));
    }
    return model.tokenization().tokenizer().decode(ids(ids), false);
  }

  private static String render(ChatMessages chat, ServedModel model) {
    return model.tokenization().prompts().render(chat);
  }

  /** Tokens, estimated from the text's bytes if they are not known. */
  int length() {
    return tokens.length > 0 ? tokens.length : GenerationTask.estimatedTokens(text.orElse(""));
  }
}
