package dev.sluice.router.proxy;

import dev.sluice.router.policy.Affinity;
import dev.sluice.v1.ChatMessage;
import dev.sluice.v1.GenerateRequest;
import java.util.OptionalLong;

/** What ties a request to others, from its fields alone: nothing is rendered or tokenized. */
final class Affinities {
  /** As much of a prompt as decides: a few blocks of tokens. */
  private static final int PREFIX_CHARACTERS = 1_024;

  private static final int PREFIX_TOKENS = 256;

  private Affinities() {}

  static Affinity of(GenerateRequest request) {
    OptionalLong session =
        request.getSessionId().isEmpty()
            ? OptionalLong.empty()
            : OptionalLong.of(text(1, request.getSessionId(), Integer.MAX_VALUE));
    return new Affinity(session, prefix(request));
  }

  private static OptionalLong prefix(GenerateRequest request) {
    long salt = text(1, request.getCacheSalt(), Integer.MAX_VALUE);
    return switch (request.getPromptCase()) {
      case TEXT -> OptionalLong.of(text(salt, request.getText(), PREFIX_CHARACTERS));
      case TOKEN_IDS -> {
        long hash = salt;
        int tokens = Math.min(PREFIX_TOKENS, request.getTokenIds().getIdsCount());
        for (int i = 0; i < tokens; i++) {
          hash = 31 * hash + request.getTokenIds().getIds(i);
        }
        yield OptionalLong.of(hash);
      }
      case CHAT -> {
        long hash = salt;
        int left = PREFIX_CHARACTERS;
        for (ChatMessage message : request.getChat().getMessagesList()) {
          hash = text(text(hash, message.getRole(), left), message.getContent(), left);
          left -= message.getContent().length();
          if (left <= 0) {
            break;
          }
        }
        yield OptionalLong.of(hash);
      }
      case PROMPT_NOT_SET -> OptionalLong.empty();
    };
  }

  /** A polynomial over the characters, as of String, in 64 bits. */
  private static long text(long before, String text, int limit) {
    long hash = 31 * before + 1;
    for (int i = 0; i < Math.min(limit, text.length()); i++) {
      hash = 31 * hash + text.charAt(i);
    }
    return hash;
  }
}
