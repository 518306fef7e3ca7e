package dev.sluice.worker.sampling;

/**
 * Chooses tokens. The result is a function of the logits' bits, the parameters and (seed, choice,
 * position), on every machine: all arithmetic has one right result and is done in a fixed order. A
 * logit of minus infinity bans a token; not-a-number and plus infinity are errors.
 *
 * <p>Threading: one thread; it keeps scratch space. Allocates nothing after construction.
 */
public final class Sampler {
  private final Weights weights;
  private final Selection selection;

  public Sampler(int vocabularySize) {
    this.weights = new Weights(vocabularySize);
    this.selection = new Selection(weights);
  }

  /**
   * Chooses the next token: the one at which the running sum of the kept tokens' probabilities, in
   * order of their ids, exceeds the random number.
   *
   * @param logits [vocabularySize]
   * @param position index of the token in its choice's output, from 0
   * @throws SamplingException if a logit is not a number or plus infinity, or all tokens are banned
   */
  public int sample(float[] logits, SamplingParams params, int choice, int position) {
    int best = Argmax.of(logits);
    if (params.temperature() == 0) {
      return best;
    }
    weights.set(logits, logits[best], params.temperature());
    double uniform = CounterRandom.uniform(params.seed(), choice, position);
    boolean allRanks = params.topK() == 0 || params.topK() >= weights.tokens();
    if (allRanks && params.topP() == 1) {
      return weights.draw(uniform);
    }
    if (allRanks) {
      // All tokens below this weigh less than (1 - topP) total together, so the others suffice.
      selection.all((1 - (double) params.topP()) * weights.total() / weights.tokens());
      selection.keepWeight(params.topP() * weights.total());
    } else {
      selection.all(weights.reachedBy(params.topK()));
      selection.keepCount(params.topK());
      selection.keepWeight(params.topP() * selection.total());
    }
    return weights.drawUpTo(selection.last(), uniform);
  }
}
