package dev.sluice.worker.sampling;

/**
 * The log-probability of a token where it stands, in the model's own distribution over the tokens
 * that can be chosen: before bans, penalties and temperature.
 */
public final class TokenLogprob {
  private final int tokenId;
  private final float logprob;
  private final int rank;
  private final int[] topTokens;
  private final float[] topLogprobs;

  /**
   * @param logprob natural logarithm
   * @param rank from 1; of equally likely tokens the lowest id comes first
   * @param topTokens the most likely tokens, most likely first; kept, not copied
   * @param topLogprobs of these
   */
  TokenLogprob(int tokenId, float logprob, int rank, int[] topTokens, float[] topLogprobs) {
    this.tokenId = tokenId;
    this.logprob = logprob;
    this.rank = rank;
    this.topTokens = topTokens;
    this.topLogprobs = topLogprobs;
  }

  public int tokenId() {
    return tokenId;
  }

  /** Natural logarithm of its probability. */
  public float logprob() {
    return logprob;
  }

  /** Its place among all tokens, from 1. */
  public int rank() {
    return rank;
  }

  /** How many of the most likely tokens are named. */
  public int topCount() {
    return topTokens.length;
  }

  /** The token of rank {@code i + 1}. */
  public int topToken(int i) {
    return topTokens[i];
  }

  /** Its log-probability. */
  public float topLogprob(int i) {
    return topLogprobs[i];
  }
}
