package dev.sluice.worker.service;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.v1.ChatMessages;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * A prompt as the engine takes it.
 *
 * @param tokens its token ids; none if this process cannot tokenize
 * @param text as text, for an engine that tokenizes itself
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Prompt(int[] tokens, Optional<String> text) {
  /** English text has about so many bytes per token. */
  private static final int BYTES_PER_TOKEN = 4;

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
      case PromptSource.Tokens ids -> ids.ids().stream().mapToInt(Integer::intValue).toArray();
      case PromptSource.Chat chat ->
          model.tokenization().prompts().encodeRendered(render(chat.messages(), model));
    };
  }

  private static Prompt text(PromptSource source, ServedModel model) {
    String text =
        switch (source) {
          case PromptSource.Text given -> given.text();
          case PromptSource.Chat chat -> render(chat.messages(), model);
          case PromptSource.Tokens ids -> decoded(ids, model);
        };
    boolean counted = model.tokenizing().isPresent();
    return new Prompt(counted ? tokens(source, model) : new int[0], Optional.of(text));
  }

  private static String decoded(PromptSource.Tokens ids, ServedModel model) {
    if (model.tokenizing().isEmpty()) {
      throw new RefusalException(
          new Refusal.Unimplemented(
              "token_ids",
              "token_ids: set (expected: text, as the model takes no ids and the worker has no"
                  + " tokenizer)"));
    }
    return model.tokenization().tokenizer().decode(tokens(ids, model), false);
  }

  private static String render(ChatMessages chat, ServedModel model) {
    return model.tokenization().prompts().render(chat);
  }

  /** Tokens, estimated from the text's bytes if they are not known. */
  int length() {
    return tokens.length > 0 ? tokens.length : estimate(text.orElse(""));
  }

  /** About so many tokens has a text. */
  static int estimate(String text) {
    int bytes = text.getBytes(StandardCharsets.UTF_8).length;
    return (bytes + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN;
  }
}
