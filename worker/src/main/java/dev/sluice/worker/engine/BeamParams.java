package dev.sluice.worker.engine;

/**
 * Beam search instead of sampling: of all continuations of the beams those with the greatest
 * log-probability go on.
 *
 * @param width beams that go on, 1 to 16
 * @param best how many are told in the end, 1 to width
 * @param lengthPenalty exponent of the length that divides a beam's log-probability
 * @param earlyStopping whether the search ends as soon as {@code width} beams have come to their
 *     end, even if others could still surpass them
 */
public record BeamParams(int width, int best, float lengthPenalty, boolean earlyStopping) {
  private static final int MAX_WIDTH = 16;

  public BeamParams {
    if (width < 1 || width > MAX_WIDTH) {
      throw new IllegalArgumentException("width: " + width + " (expected: 1 to " + MAX_WIDTH + ")");
    }
    if (best < 1 || best > width) {
      throw new IllegalArgumentException("best: " + best + " (expected: 1 to " + width + ")");
    }
    if (!Float.isFinite(lengthPenalty)) {
      throw new IllegalArgumentException(
          "lengthPenalty: " + lengthPenalty + " (expected: a number)");
    }
  }

  /** What a beam of this log-probability and length is worth. */
  double score(double logprob, int length) {
    return logprob / StrictMath.pow(length, lengthPenalty);
  }
}
