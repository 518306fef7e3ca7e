package dev.sluice.app.bench;

import java.util.SplittableRandom;

/**
 * Lengths in tokens, evenly spread around a mean.
 *
 * @param spread 0 (all equal) to 1 (from 1 to twice the mean)
 */
record Lengths(int mean, double spread) {
  int draw(SplittableRandom random) {
    int least = Math.max(1, (int) Math.round(mean * (1 - spread)));
    int most = Math.max(least, (int) Math.round(mean * (1 + spread)));
    return random.nextInt(least, most + 1);
  }
}
