package dev.sluice.worker.service;

import dev.sluice.v1.ChatMessages;
import java.util.List;

/** Where a prompt's tokens come from. */
sealed interface PromptSource {
  /** Text, to be tokenized as it is. */
  record Text(String text) implements PromptSource {}

  /** Token ids, used as they are; checked against the vocabulary. */
  record Tokens(List<Integer> ids) implements PromptSource {}

  /** Messages, to be rendered by the chat template. */
  record Chat(ChatMessages messages) implements PromptSource {}
}
