package dev.sluice.common.tokenizer;

/** A tokenizer cannot be loaded, or the native library failed in a call. */
public final class TokenizerException extends RuntimeException {
  public TokenizerException(String message) {
    super(message);
  }

  public TokenizerException(String message, Throwable cause) {
    super(message, cause);
  }
}
