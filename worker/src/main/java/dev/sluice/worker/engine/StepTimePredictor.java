package dev.sluice.worker.engine;

/**
 * Predicts how long a step takes, from the steps that were: a linear function, with no coefficient
 * below 0, of the step itself, its tokens, its rows of logits, and the pairs that attention looks
 * at, those of prompts and those of decoding sequences apart.
 *
 * <p>It is a least-squares fit over the latest steps (older ones fade), found by coordinate descent
 * on the normal equations from where it was: a few dozen multiplications for each step. Steps with
 * prompt tokens fade apart from those without, so that an hour of decoding does not make it forget
 * what a prompt costs. A step that took far longer than predicted counts only as somewhat longer: a
 * pause of the machine is no property of the model.
 *
 * <p>Beside it the {@link #margin} is tracked: the factor by which all but one in 200 steps stay
 * below their prediction. It grows within a few steps when other loads slow the machine down,
 * before the coefficients follow.
 *
 * <p>Threading: engine thread. Allocates nothing after construction.
 */
final class StepTimePredictor {
  private static final int SIZE = StepCost.SIZE;
  private static final double PREFILL_MEMORY = 1 - 1 / 60.0; // steps in which a step fades
  private static final double DECODE_MEMORY = 1 - 1 / 200.0;
  private static final double ANCHOR = 0.02; // pulls to where the coefficients were
  private static final int SWEEPS = 4;
  private static final double OUTLIER = 3; // mean deviations
  private static final double MARGIN_STEP = 0.04;
  private static final double QUANTILE = 0.995;
  private static final double MAX_MARGIN = 3;

  // Sums over steps of feature i times feature j, and of feature i times time in ms.
  private final double[] prefillProducts = new double[SIZE * SIZE];
  private final double[] prefillTimes = new double[SIZE];
  private final double[] decodeProducts = new double[SIZE * SIZE];
  private final double[] decodeTimes = new double[SIZE];
  private final double[] coefficients = new double[SIZE]; // ms
  private double deviation; // mean of |time / prediction - 1|
  private double margin = 1;
  private long steps;
  private long prefills;

  /** Whether a step with prompt tokens was seen. */
  boolean knowsPrefill() {
    return prefills > 0;
  }

  /** The factor to predictions below which nearly all steps stay; 1 if they are exact. */
  double margin() {
    return margin;
  }

  /** Time that a step takes; 0 before any was seen. */
  double predictNanos(StepCost cost) {
    return predictMillis(cost) * 1e6;
  }

  private double predictMillis(StepCost cost) {
    double millis = 0;
    for (int i = 0; i < SIZE; i++) {
      millis += coefficients[i] * cost.feature(i);
    }
    return millis;
  }

  /**
   * Most prompt tokens that a step has time for.
   *
   * @param nanos that they may take
   * @param past tokens of the sequence before them
   * @param remaining tokens of it that there are; with the last of them a token is sampled
   */
  int tokensWithin(double nanos, int past, int remaining) {
    double perToken = coefficients[1] / 100 + coefficients[3] * past / 1e5;
    double perSquare = coefficients[3] / 2e5;
    double millis = nanos / 1e6;
    double all = perToken * remaining + perSquare * remaining * remaining;
    if (all + coefficients[2] / 10 <= millis) {
      return remaining;
    }
    double root = Math.sqrt(perToken * perToken + 4 * perSquare * Math.max(0, millis));
    double count = perToken + root == 0 ? remaining : 2 * Math.max(0, millis) / (perToken + root);
    return (int) Math.min(remaining, count);
  }

  /** A step has taken this time. */
  void observe(StepCost cost, long nanos) {
    double millis = nanos / 1e6;
    if (steps == 0) {
      coefficients[1] = millis / Math.max(cost.feature(1), 1e-3); // too much rather than too little
    }
    double predicted = predictMillis(cost);
    if (steps++ > 0 && predicted > 0) {
      millis = withoutOutlier(millis, predicted);
    }
    prefills += cost.hasPrefill() ? 1 : 0;
    if (cost.hasPrefill()) {
      add(prefillProducts, prefillTimes, cost, millis, PREFILL_MEMORY);
    } else {
      add(decodeProducts, decodeTimes, cost, millis, DECODE_MEMORY);
    }
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
      descend();
    }
  }

  private double withoutOutlier(double millis, double predicted) {
    double ratio = millis / predicted;
    // a step upwards for the one that exceeds it balances 199 small ones downwards
    margin += MARGIN_STEP * (ratio > margin ? QUANTILE : QUANTILE - 1);
    margin = Math.clamp(margin, 1, MAX_MARGIN);
    double off = ratio - 1;
    double bound = Math.max(0.1, OUTLIER * deviation);
    deviation += 0.02 * (Math.min(Math.abs(off), 2 * bound) - deviation);
    return predicted * (1 + Math.clamp(off, -1, steps < 20 ? Double.MAX_VALUE : bound));
  }

  private static void add(
      double[] products, double[] times, StepCost cost, double millis, double memory) {
    // In proportion to its time a short step is as exact as a long one.
    double weight = 1 / Math.max(millis * millis, 1e-6);
    for (int i = 0; i < SIZE; i++) {
      for (int j = 0; j < SIZE; j++) {
        products[i * SIZE + j] =
            memory * products[i * SIZE + j] + weight * cost.feature(i) * cost.feature(j);
      }
      times[i] = memory * times[i] + weight * cost.feature(i) * millis;
    }
  }

  /** Makes each coefficient the best one for the others. */
  private void descend() {
    for (int i = 0; i < SIZE; i++) {
      double own = prefillProducts[i * SIZE + i] + decodeProducts[i * SIZE + i];
      if (own == 0) {
        continue;
      }
      double rest = prefillTimes[i] + decodeTimes[i];
      for (int j = 0; j < SIZE; j++) {
        if (j != i) {
          double product = prefillProducts[i * SIZE + j] + decodeProducts[i * SIZE + j];
          rest -= product * coefficients[j];
        }
      }
      double anchor = ANCHOR * own;
      coefficients[i] = Math.max(0, (rest + anchor * coefficients[i]) / (own + anchor));
    }
  }
}
