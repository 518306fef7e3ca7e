package dev.sluice.router.prompt;

import dev.sluice.router.index.BlockHashes;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A prompt as its workers will see it.
 *
 * <p>Threading: immutable.
 */
public final class TokenizedPrompt {
  private final int[] tokens;
  private final BlockHashes blocks;
  private final Optional<String> tokenizer;

  /**
   * @param tokens not to be changed any more
   * @param tokenizer fingerprint of what made the tokens; empty if the client sent them itself
   */
  TokenizedPrompt(int[] tokens, BlockHashes blocks, Optional<String> tokenizer) {
    this.tokens = tokens;
    this.blocks = blocks;
    this.tokenizer = tokenizer;
  }

  /** Number of tokens. */
  public int count() {
    return tokens.length;
  }

  /** The tokens, in order. */
  public IntStream tokens() {
    return IntStream.of(tokens);
  }

  /** Names of its full blocks. */
  public BlockHashes blocks() {
    return blocks;
  }

  /** Fingerprint of what made the tokens; empty if the client sent them itself. */
  public Optional<String> tokenizer() {
    return tokenizer;
  }
}
