package dev.sluice.app.bench;

import java.util.List;
import java.util.SplittableRandom;

/**
 * Random prompts of ordinary tokens: the ends of a vocabulary, where special tokens are, are left
 * out.
 *
 * @param seed of everything that is drawn
 */
record TokenSource(int vocabularySize, long seed) {
  private static final int MARGIN = 8; // parts of the vocabulary, one of which is left out below
  private static final int MOST_LEFT_OUT = 1000;
  private static final long STREAM = 0x9E3779B97F4A7C15L;

  /** A generator that depends on the seed and this number alone. */
  SplittableRandom random(long number) {
    return new SplittableRandom(seed * STREAM + number);
  }

  List<Integer> draw(SplittableRandom random, int count) {
    int first = Math.min(MOST_LEFT_OUT, vocabularySize / MARGIN);
    return random.ints(count, first, vocabularySize - first).boxed().toList();
  }
}
