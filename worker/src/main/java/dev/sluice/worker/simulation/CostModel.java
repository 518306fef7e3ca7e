package dev.sluice.worker.simulation;

import dev.sluice.worker.engine.StepBatch;
import java.util.Map;

/**
 * How long a step takes.
 *
 * @param stepNanos of each step
 * @param tokenNanos of each token
 * @param logitsNanos of each token behind which another is sampled
 * @param promptPairNanos of each token of a prompt for each token that it attends to
 * @param decodePairNanos of each decoding sequence for each token that it attends to
 */
public record CostModel(
    double stepNanos,
    double tokenNanos,
    double logitsNanos,
    double promptPairNanos,
    double decodePairNanos) {
  /** SmolLM2-135M in int8 on two processors, by {@code sluice engine-bench}. */
  public static final CostModel CPU = new CostModel(12.4e6, 0.906e6, 0.41e6, 1040, 1040);

  /** Round figures for a model of 8 billion parameters on one GPU. */
  public static final CostModel GPU = new CostModel(8e6, 40e3, 10e3, 4, 15);

  private static final double BENCH_CONTEXT = 160; // mean length of engine-bench's sequences

  public CostModel {
    check("stepNanos", stepNanos);
    check("tokenNanos", tokenNanos);
    check("logitsNanos", logitsNanos);
    check("promptPairNanos", promptPairNanos);
    check("decodePairNanos", decodePairNanos);
    if (stepNanos + tokenNanos == 0) {
      throw new IllegalArgumentException("stepNanos, tokenNanos: 0 (expected: one above 0)");
    }
  }

  private static void check(String name, double nanos) {
    if (!(nanos >= 0) || Double.isInfinite(nanos)) {
      throw new IllegalArgumentException(name + ": " + nanos + " (expected: 0 or more)");
    }
  }

  /**
   * The model that explains what {@code sluice engine-bench} measured: a line through the decode
   * steps, and a parabola through the prompts.
   *
   * @param decodeRates tokens per second by the number of streams, of two numbers at least
   * @param prefillRates tokens per second by the length of the prompt, of two lengths at least
   */
  public static CostModel fit(Map<Integer, Double> decodeRates, Map<Integer, Double> prefillRates) {
    if (decodeRates.size() < 2 || prefillRates.size() < 2) {
      throw new IllegalArgumentException(
          decodeRates.size()
              + " decode rates, "
              + prefillRates.size()
              + " prefill rates (expected: 2 or more of each)");
    }
    Line steps = Line.through(decodeRates, 0); // nanos = base + slope * streams
    double base = Math.max(0, steps.base);
    // nanos / tokens - base / tokens = token + pair * tokens / 2
    Line prompts = Line.through(prefillRates, base);
    double pair = Math.max(0, 2 * prompts.slope);
    double token = Math.max(1, prompts.base);
    double logits = Math.max(0, steps.slope - token - BENCH_CONTEXT * pair);
    return new CostModel(base, token, logits, pair, pair);
  }

  /** Least squares. */
  private record Line(double base, double slope) {
    /** Through nanos by count; less {@code fixed} and per count, if that is not 0. */
    static Line through(Map<Integer, Double> rates, double fixed) {
      double n = rates.size();
      double x = 0;
      double y = 0;
      double xx = 0;
      double xy = 0;
      for (Map.Entry<Integer, Double> rate : rates.entrySet()) {
        double count = rate.getKey();
        double nanos = count * 1e9 / rate.getValue();
        double value = fixed == 0 ? nanos : (nanos - fixed) / count;
        x += count;
        y += value;
        xx += count * count;
        xy += count * value;
      }
      double slope = (n * xy - x * y) / (n * xx - x * x);
      return new Line((y - slope * x) / n, slope);
    }
  }

  /** Nanoseconds of a step. */
  double nanos(StepBatch batch) {
    double nanos = stepNanos + logitsNanos * batch.logits();
    int[] ends = batch.cumulativeLengths();
    int[] pasts = batch.pastLengths();
    for (int i = 0; i < batch.sequences(); i++) {
      int count = ends[i + 1] - ends[i];
      nanos +=
          count == 1
              ? tokenNanos + decodePairNanos * pasts[i]
              : count * (tokenNanos + promptPairNanos * (pasts[i] + count / 2.0));
    }
    return nanos;
  }
}
