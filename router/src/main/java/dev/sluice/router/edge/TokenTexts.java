package dev.sluice.router.edge;

import java.nio.charset.StandardCharsets;

/** What single tokens of a model say. Threading: any thread. */
public interface TokenTexts {
  /** Its bytes, which may be a part of a character. */
  byte[] bytes(int token);

  /** Its text; what is no character becomes U+FFFD. */
  default String text(int token) {
    return new String(bytes(token), StandardCharsets.UTF_8);
  }

  /** Tokens under their numbers, as {@code token_id:17}: no two have the same text. */
  static TokenTexts numbers() {
    return token -> ("token_id:" + token).getBytes(StandardCharsets.US_ASCII);
  }
}
