package dev.sluice.worker.sampling;

import java.util.Arrays;

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

  /**
   * One of the most likely tokens of a row.
   *
   * @param tokens most likely first; the first {@code count} count
   * @param logprobs of these
   * @param index of the token among them
   * @param topN how many of them are told, too
   */
  public static TokenLogprob ofRanked(
      int[] tokens, double[] logprobs, int count, int index, int topN) {
    int[] top = Arrays.copyOf(tokens, Math.min(topN, count));
    float[] topLogprobs = new float[top.length];
    for (int i = 0; i < top.length; i++) {
      topLogprobs[i] = (float) logprobs[i];
    }
    return new TokenLogprob(tokens[index], (float) logprobs[index], index + 1, top, topLogprobs);
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
