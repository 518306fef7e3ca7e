package dev.sluice.worker.graph;

import dev.sluice.worker.model.RotaryScaling;

/** The frequencies of a rotary embedding, in radians per token, stretched as the model says. */
final class RotaryFrequencies {
  /** Keeps a ramp of no length from dividing by zero, as those who defined it do. */
  private static final double LEAST_RAMP = 0.001;

  private final double theta;
  private final int headSize;

  RotaryFrequencies(double theta, int headSize) {
    this.theta = theta;
    this.headSize = headSize;
  }

  /** One for each of {@code headSize / 2} pairs, the fastest first. */
  double[] stretched(RotaryScaling scaling) {
    double[] frequencies = new double[headSize / 2];
    for (int i = 0; i < frequencies.length; i++) {
      double plain = Math.pow(theta, -2.0 * i / headSize);
      frequencies[i] =
          switch (scaling) {
            case RotaryScaling.None none -> plain;
            case RotaryScaling.Linear linear -> plain / linear.factor();
            case RotaryScaling.Llama3 llama3 -> stretched(llama3, plain);
            case RotaryScaling.Yarn yarn -> stretched(yarn, plain, i);
            case RotaryScaling.Divisors divisors -> plain / divisors.values().get(i);
          };
    }
    return frequencies;
  }

  private static double stretched(RotaryScaling.Llama3 scaling, double plain) {
    double turns = scaling.originalContext() * plain / (2 * Math.PI); // within the old context
    double kept =
        (turns - scaling.lowFreqFactor()) / (scaling.highFreqFactor() - scaling.lowFreqFactor());
    return mixed(plain, scaling.factor(), Math.clamp(kept, 0, 1));
  }

  private double stretched(RotaryScaling.Yarn scaling, double plain, int index) {
    double first = indexThatTurns(scaling.betaFast(), scaling);
    double last = indexThatTurns(scaling.betaSlow(), scaling);
    if (scaling.wholeIndices()) {
      first = Math.floor(first);
      last = Math.ceil(last);
    }
    first = Math.max(first, 0);
    last = Math.min(last, headSize - 1);
    double ramp = (index - first) / (first == last ? LEAST_RAMP : last - first);
    return mixed(plain, scaling.factor(), 1 - Math.clamp(ramp, 0, 1));
  }

  /** The index, a fraction, of the frequency that turns so often within the old context. */
  private double indexThatTurns(double turns, RotaryScaling.Yarn scaling) {
    double wave = scaling.originalContext() / (turns * 2 * Math.PI);
    return headSize * Math.log(wave) / (2 * Math.log(theta));
  }

  private static double mixed(double plain, double factor, double kept) {
    return plain / factor * (1 - kept) + plain * kept;
  }

  /** What cosines and sines are multiplied by. */
  static double amplitude(RotaryScaling scaling) {
    return switch (scaling) {
      case RotaryScaling.Yarn yarn -> yarn.attentionFactor();
      case RotaryScaling.None none -> 1;
      case RotaryScaling.Linear linear -> 1;
      case RotaryScaling.Llama3 llama3 -> 1;
      case RotaryScaling.Divisors divisors -> 1;
    };
  }
}
