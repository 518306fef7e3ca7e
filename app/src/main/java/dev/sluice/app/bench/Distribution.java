package dev.sluice.app.bench;

import java.util.Arrays;

/** Many values of one quantity. */
final class Distribution {
  private final double[] sorted;

  Distribution(double[] values) {
    sorted = values.clone();
    Arrays.sort(sorted);
  }

  boolean isEmpty() {
    return sorted.length == 0;
  }

  double mean() {
    return isEmpty() ? 0 : Arrays.stream(sorted).sum() / sorted.length;
  }

  /** Of the values as they are, not of a population that they were drawn from. */
  double standardDeviation() {
    double mean = mean();
    double squares = Arrays.stream(sorted).map(x -> (x - mean) * (x - mean)).sum();
    return isEmpty() ? 0 : Math.sqrt(squares / sorted.length);
  }

  /**
   * The value below which so many percent lie, between two values in proportion (NumPy's default).
   *
   * @param percent 0 to 100
   */
  double percentile(double percent) {
    if (isEmpty()) {
      return 0;
    }
    double at = percent / 100 * (sorted.length - 1);
    int below = (int) at;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  }
}
