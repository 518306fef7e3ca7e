package dev.sluice.worker.sampling;

/**
 * Chooses tokens. The result is a function of the logits' bits, the parameters and (seed, choice,
 * position), on every machine: all arithmetic is plain, in a fixed order, with an {@code exp} of
 * our own. A logit of minus infinity bans a token; not-a-number and plus infinity are errors.
 *
 * <p>Threading: one thread; it keeps scratch space. Allocates nothing after construction.
 */
public final class Sampler {
  private final int vocabularySize;
  private final float[] weights; // [vocabularySize], of tokens in the order of their ids
  private final Ranking ranking;
  private final int[] kept; // [vocabularySize], most likely first

  public Sampler(int vocabularySize) {
    this.vocabularySize = vocabularySize;
    this.weights = new float[vocabularySize];
    this.ranking = new Ranking(vocabularySize);
    this.kept = new int[vocabularySize];
  }

  /**
   * Chooses the next token.
   *
   * @param logits [vocabularySize]
   * @param position index of the token in its choice's output, from 0
   * @throws SamplingException if the logits are no numbers or all tokens are banned
   */
  public int sample(float[] logits, SamplingParams params, int choice, int position) {
    int best = argmax(logits);
    if (params.temperature() == 0 || params.topK() == 1) {
      return best;
    }
    double uniform = CounterRandom.uniform(params.seed(), choice, position);
    double total = weigh(logits, logits[best], params.temperature());
    boolean allRanks = params.topK() == 0 || params.topK() >= vocabularySize;
    if (allRanks && params.topP() == 1) {
      return drawFromAll(uniform * total, best);
    }
    int count = allRanks ? rankAll(logits, params.topP(), total) : rankTop(logits, params.topK());
    return drawFromKept(uniform, nucleus(count, params.topP(), allRanks ? total : sum(count)));
  }

  /** The most likely token, of equals the one with the lowest id. */
  private int argmax(float[] logits) {
    int best = 0;
    float max = Float.NEGATIVE_INFINITY;
    for (int token = 0; token < vocabularySize; token++) {
      float logit = logits[token];
      if (logit > max) {
        max = logit;
        best = token;
      } else if (Float.isNaN(logit)) {
        throw new SamplingException("logit of token " + token + ": NaN (expected: a number)");
      }
    }
    if (Float.isInfinite(max)) {
      throw new SamplingException(
          max > 0
              ? "logit of token " + best + ": Infinity (expected: a finite number)"
              : "every token is banned (expected: at least one logit above -Infinity)");
    }
    return best;
  }

  /** Fills the weights: probabilities times a constant, the most likely token having 1. */
  private double weigh(float[] logits, float max, float temperature) {
    double total = 0;
    for (int token = 0; token < vocabularySize; token++) {
      float weight = Exp.ofNonPositive((logits[token] - max) / temperature);
      weights[token] = weight;
      total += weight;
    }
    return total;
  }

  private int drawFromAll(double target, int best) {
    double sum = 0;
    for (int token = 0; token < vocabularySize; token++) {
      sum += weights[token];
      if (sum > target) {
        return token;
      }
    }
    return best; // the target was rounded up to the total
  }

  /** Puts the k most likely tokens into {@link #kept}. */
  private int rankTop(float[] logits, int topK) {
    ranking.clear();
    for (int token = 0; token < vocabularySize; token++) {
      ranking.add(token);
    }
    ranking.order(logits);
    for (int i = 0; i < topK; i++) {
      kept[i] = ranking.next();
    }
    return topK;
  }

  /**
   * Puts the most likely tokens into {@link #kept}, enough for top-p. Tokens below a threshold need
   * not be ranked: all tokens less likely than (1 - topP) / vocabularySize sum to less than 1 -
   * topP, so the others suffice.
   */
  private int rankAll(float[] logits, float topP, double total) {
    double threshold = (1 - (double) topP) * total / vocabularySize;
    ranking.clear();
    for (int token = 0; token < vocabularySize; token++) {
      if (weights[token] >= threshold) {
        ranking.add(token);
      }
    }
    ranking.order(logits);
    int count = 0;
    double sum = 0;
    while (sum < topP * total && !ranking.isEmpty()) {
      kept[count] = ranking.next();
      sum += weights[kept[count]];
      count++;
    }
    return count;
  }

  private double sum(int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += weights[kept[i]];
    }
    return sum;
  }

  /** How many of the kept tokens, most likely first, reach the share topP of the total. */
  private int nucleus(int count, float topP, double total) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += weights[kept[i]];
      if (sum >= topP * total) {
        return i + 1;
      }
    }
    return count;
  }

  private int drawFromKept(double uniform, int count) {
    double target = uniform * sum(count);
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += weights[kept[i]];
      if (sum > target) {
        return kept[i];
      }
    }
    return kept[0]; // the target was rounded up to the total
  }
}
