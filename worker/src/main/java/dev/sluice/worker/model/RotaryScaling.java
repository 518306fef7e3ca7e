package dev.sluice.worker.model;

import java.util.List;

/**
 * How the rotary embedding was stretched to contexts longer than the model was first trained for.
 * Frequency {@code i} of a head is {@code theta^(-2i / headSize)} radians per token before that.
 */
public sealed interface RotaryScaling {
  /** Frequencies as they are. */
  record None() implements RotaryScaling {}

  /**
   * All frequencies divided alike: positions are interpolated.
   *
   * @param factor above 0
   */
  record Linear(double factor) implements RotaryScaling {
    public Linear {
      checkPositive("factor", factor);
    }
  }

  /**
   * As Llama 3.1 does it: waves longer than {@code originalContext / lowFreqFactor} tokens are
   * slowed by {@code factor}, waves shorter than {@code originalContext / highFreqFactor} stay, and
   * those between are mixed.
   *
   * @param factor above 0
   * @param lowFreqFactor above 0
   * @param highFreqFactor above {@code lowFreqFactor}
   * @param originalContext tokens before stretching
   */
  record Llama3(double factor, double lowFreqFactor, double highFreqFactor, int originalContext)
      implements RotaryScaling {
    public Llama3 {
      checkPositive("factor", factor);
      checkPositive("lowFreqFactor", lowFreqFactor);
      checkPositive("highFreqFactor - lowFreqFactor", highFreqFactor - lowFreqFactor);
      checkPositive("originalContext", originalContext);
    }
  }

  /**
   * YaRN: frequencies that turn less than {@code betaSlow} times within {@code originalContext} are
   * divided by {@code factor}, those that turn more than {@code betaFast} times stay, and those
   * between are mixed along a ramp over their indices.
   *
   * @param factor above 0
   * @param originalContext tokens before stretching
   * @param betaFast above 0
   * @param betaSlow above 0
   * @param attentionFactor multiplies cosines and sines
   * @param wholeIndices whether the ramp begins and ends at whole indices
   */
  record Yarn(
      double factor,
      int originalContext,
      double betaFast,
      double betaSlow,
      double attentionFactor,
      boolean wholeIndices)
      implements RotaryScaling {
    /** What {@code betaFast} and {@code betaSlow} are where a model does not say. */
    static final double BETA_FAST = 32;

    static final double BETA_SLOW = 1;

    /** What YaRN's paper multiplies attention by, weighted. */
    static double attention(double factor, double weight) {
      return factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
    }

    public Yarn {
      checkPositive("factor", factor);
      checkPositive("originalContext", originalContext);
      checkPositive("betaFast", betaFast);
      checkPositive("betaSlow", betaSlow);
      checkPositive("attentionFactor", attentionFactor);
    }
  }

  /**
   * Each frequency divided by a number of its own, as files that hold the outcome of a scaling
   * rather than its parameters do.
   *
   * @param values one for each of {@code headSize / 2} frequencies, above 0
   */
  record Divisors(List<Float> values) implements RotaryScaling {
    public Divisors {
      values = List.copyOf(values);
      for (float value : values) {
        checkPositive("divisor", value);
      }
    }
  }

  /** One line, for people. */
  default String label() {
    return switch (this) {
      case None none -> "none";
      case Linear linear -> "linear, by " + linear.factor;
      case Llama3 llama3 -> "llama3, by " + llama3.factor + " from " + llama3.originalContext;
      case Yarn yarn -> "yarn, by " + yarn.factor + " from " + yarn.originalContext;
      case Divisors divisors -> "a divisor for each frequency";
    };
  }

  /**
   * The longest context of a model whose file says {@code context}. YaRN's is what it stretched to,
   * whether or not that number was raised with it; for the others it has been.
   */
  default int longest(int context) {
    return switch (this) {
      case None none -> context;
      case Linear linear -> context;
      case Llama3 llama3 -> context;
      case Divisors divisors -> context;
      case Yarn yarn ->
          Math.max(context, (int) Math.min(Limits.CONTEXT, yarn.originalContext * yarn.factor));
    };
  }

  private static void checkPositive(String name, double value) {
    if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(name + ": " + value + " (expected: a number above 0)");
    }
  }
}
