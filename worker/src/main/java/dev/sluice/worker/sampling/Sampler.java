package dev.sluice.worker.sampling;

import dev.sluice.worker.kernel.LogitRow;
import java.lang.foreign.MemorySegment;

/**
 * Chooses tokens. The result is a function of the logits' bits, the parameters and (seed, choice,
 * position), on every machine: all arithmetic has one right result and is done in a fixed order. A
 * logit of minus infinity bans a token; not-a-number and plus infinity are errors.
 *
 * <p>Logits are read where they are. A greedy choice reads them once; a top-k reads them once and
 * computes the weights of the few tokens that may be among the k; only top-p alone, and a choice
 * among all tokens, need all weights, and keep their sums per block.
 *
 * <p>Threading: one object per thread. Allocates nothing after construction.
 */
public final class Sampler {
  private static final double THRESHOLD_STEP = 32;

  private final int vocabularySize;
  private final LogitRow row;
  private final Candidates candidates;
  private final float[] sums; // [blocks]; of weights
  private final float[] block = new float[LogitRow.BLOCK];

  /**
   * @param vocabularySize logits of a row
   * @param tokens those of them, from 0 on, that can be chosen; the others pad the row
   */
  public Sampler(int vocabularySize, int tokens) {
    if (tokens < 1 || tokens > vocabularySize) {
      throw new IllegalArgumentException(
          "tokens: " + tokens + " (expected: 1 to " + vocabularySize + ")");
    }
    this.vocabularySize = vocabularySize;
    this.row = new LogitRow(tokens);
    this.candidates = new Candidates(row);
    this.sums = new float[row.blocks()];
  }

  /**
   * Chooses the next token: the one at which the running sum of the kept tokens' probabilities, in
   * order of their ids, exceeds the random number.
   *
   * @param logits [rows, vocabularySize], float32, native
   * @param index of the row
   * @param position index of the token in its choice's output, from 0
   * @throws SamplingException if a logit is not a number or plus infinity, or all tokens are banned
   */
  public int sample(
      MemorySegment logits, int index, SamplingParams params, int choice, int position) {
    read(logits, index);
    if (params.temperature() == 0) {
      return row.mostLikely();
    }
    double uniform = CounterRandom.uniform(params.seed(), choice, position);
    boolean allRanks = params.topK() == 0 || params.topK() >= row.tokens();
    if (allRanks && params.topP() == 1 && params.minP() == 0 && params.typicalP() == 1) {
      return draw(uniform * weigh(params.temperature()), params.temperature());
    }
    take(params, allRanks);
    return candidates.draw(uniform);
  }

  /**
   * The log-probability of a token in the distribution of these logits as they are.
   *
   * @param logits [rows, vocabularySize], float32, native
   * @param index of the row
   * @param token whose
   * @param topN how many of the most likely tokens are told, too
   * @throws SamplingException if a logit is not a number or plus infinity
   */
  public TokenLogprob logprob(MemorySegment logits, int index, int token, int topN) {
    read(logits, index);
    double logTotal = StrictMath.log(weigh(1));
    int[] top = new int[0];
    if (topN > 0) {
      candidates.takeMostLikely(topN, 1);
      candidates.sortKept();
      top = new int[candidates.kept()];
    }
    float[] topLogprobs = new float[top.length];
    for (int i = 0; i < top.length; i++) {
      top[i] = candidates.token(i);
      topLogprobs[i] = logprob(top[i], logTotal);
    }
    return new TokenLogprob(token, logprob(token, logTotal), row.rank(token), top, topLogprobs);
  }

  /**
   * The most likely tokens, most likely first.
   *
   * @param logits [rows, vocabularySize], float32, native
   * @param index of the row
   * @param tokens receives as many as it has room for, or as there are
   * @param logprobs receives their log-probabilities
   * @return how many there are
   * @throws SamplingException if a logit is not a number or plus infinity
   */
  public int mostLikely(MemorySegment logits, int index, int[] tokens, double[] logprobs) {
    read(logits, index);
    double logTotal = StrictMath.log(weigh(1));
    candidates.takeMostLikely(tokens.length, 1);
    candidates.sortKept();
    for (int i = 0; i < candidates.kept(); i++) {
      tokens[i] = candidates.token(i);
      logprobs[i] = exactLogprob(tokens[i], logTotal);
    }
    return candidates.kept();
  }

  private float logprob(int token, double logTotal) {
    return (float) exactLogprob(token, logTotal);
  }

  private double exactLogprob(int token, double logTotal) {
    return (double) row.logit(token) - row.maximum() - logTotal;
  }

  private void read(MemorySegment logits, int index) {
    long rowBytes = (long) Float.BYTES * vocabularySize;
    if (index < 0 || (index + 1) * rowBytes > logits.byteSize()) {
      throw new IllegalArgumentException(
          "row: " + index + " (expected: 0 to " + (logits.byteSize() / rowBytes - 1) + ")");
    }
    row.read(logits.address() + index * rowBytes);
    check();
  }

  /** Finds the tokens that may be chosen. */
  private void take(SamplingParams params, boolean allRanks) {
    float temperature = params.temperature();
    if (!allRanks) {
      candidates.takeMostLikely(params.topK(), temperature);
      if (params.topP() < 1) {
        candidates.keepWeight(params.topP() * candidates.total());
      }
    } else if (params.topP() < 1) {
      takeMass(params.topP(), weigh(temperature), temperature);
    } else {
      candidates.takeWeights(Math.max(params.minP(), Float.MIN_VALUE), temperature);
    }
    if (params.minP() > 0) {
      candidates.keepLikely(params.minP());
    }
    if (params.typicalP() < 1) {
      candidates.keepTypical(params.typicalP(), temperature);
    }
  }

  /** Keeps the most likely tokens with this part of the total weight. */
  private void takeMass(float topP, double total, float temperature) {
    // All tokens below this weigh less than (1 - topP) total together, so the others suffice.
    double least = (1 - (double) topP) * total / row.tokens();
    // Mostly a few tokens do; if not, more are taken until they do.
    double threshold = 1;
    do {
      threshold = Math.max(threshold / THRESHOLD_STEP, least);
      candidates.takeWeights(threshold, temperature);
    } while (threshold > least && candidates.total() < topP * total);
    candidates.keepWeight(topP * total);
  }

  private void check() {
    float maximum = row.maximum();
    if (Float.isNaN(maximum)) {
      int token = 0;
      while (!Float.isNaN(row.logit(token))) {
        token++;
      }
      throw new SamplingException("logit of token " + token + ": NaN (expected: a number)");
    }
    if (maximum == Float.POSITIVE_INFINITY) {
      throw new SamplingException(
          "logit of token " + row.mostLikely() + ": Infinity (expected: a finite number)");
    }
    if (maximum == Float.NEGATIVE_INFINITY) {
      throw new NoTokenLeftException();
    }
  }

  /** Computes the sums of the weights of each block; returns that of all. */
  private double weigh(float temperature) {
    double total = 0;
    for (int b = 0; b < sums.length; b++) {
      sums[b] = row.weigh(b, temperature, block);
      total += sums[b];
    }
    return total;
  }

  /** Draws one of all tokens: the one at which the sum of weights exceeds the target. */
  private int draw(double target, float temperature) {
    double sum = 0;
    int b = 0;
    while (b < sums.length - 1 && sum + sums[b] <= target) {
      sum += sums[b++];
    }
    int drawn = 0;
    for (; b < sums.length && sum <= target; b++) {
      row.weigh(b, temperature, block);
      int begin = b * LogitRow.BLOCK;
      for (int token = begin; token < row.end(b) && sum <= target; token++) {
        float weight = block[token - begin];
        if (weight > 0) {
          sum += weight;
          drawn = token; // the last one if the target was rounded up to the total
        }
      }
    }
    return drawn;
  }
}
