package dev.sluice.worker.engine;

import dev.sluice.worker.sampling.TokenLogprob;

/**
 * The most likely tokens behind one beam, most likely first.
 *
 * <p>Threading: filled by the thread that reads the row, while the engine thread waits; otherwise
 * the engine thread's.
 */
final class BeamRow {
  private final int[] tokens;
  private final double[] logprobs;
  private int count;
  private boolean ready;

  /**
   * @param capacity how many tokens are wanted
   */
  BeamRow(int capacity) {
    this.tokens = new int[capacity];
    this.logprobs = new double[capacity];
  }

  /** Receives the tokens. */
  int[] tokens() {
    return tokens;
  }

  /** Receives their log-probabilities. */
  double[] logprobs() {
    return logprobs;
  }

  /** How many have been received. */
  void fill(int newCount) {
    count = newCount;
  }

  int count() {
    return count;
  }

  int token(int index) {
    return tokens[index];
  }

  double logprob(int index) {
    return logprobs[index];
  }

  /** Whether its beam can go on. */
  boolean isReady() {
    return ready;
  }

  void markReady(boolean isReady) {
    ready = isReady;
  }

  /** One of the tokens with the {@code topN} most likely ones. */
  TokenLogprob describe(int index, int topN) {
    return TokenLogprob.ofRanked(tokens, logprobs, count, index, topN);
  }
}
