package dev.sluice.router.proxy;

import dev.sluice.v1.ChatMessage;
import dev.sluice.v1.GenerateRequest;

/** How long a prompt is that nobody has tokenized. */
final class PromptSize {
  /** Of English in the vocabularies in use; code and other languages have fewer. */
  private static final int CHARACTERS_PER_TOKEN = 4;

  /** What a template writes around a message. */
  private static final int TOKENS_PER_MESSAGE = 4;

  private PromptSize() {}

  /** Tokens, at least 1. */
  static int estimate(GenerateRequest request) {
    return switch (request.getPromptCase()) {
      case TOKEN_IDS -> Math.max(1, request.getTokenIds().getIdsCount());
      case TEXT -> ofText(request.getText());
      case CHAT -> {
        long tokens = 0;
        for (ChatMessage message : request.getChat().getMessagesList()) {
          tokens += TOKENS_PER_MESSAGE + ofText(message.getContent());
        }
        yield (int) Math.max(1, Math.min(Integer.MAX_VALUE, tokens));
      }
      case PROMPT_NOT_SET -> 1;
    };
  }

  private static int ofText(String text) {
    return Math.max(1, text.length() / CHARACTERS_PER_TOKEN);
  }
}
