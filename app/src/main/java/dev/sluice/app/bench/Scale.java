package dev.sluice.app.bench;

import java.util.ArrayList;
import java.util.List;

/**
 * Places values along an axis.
 *
 * @param least value at {@code from}; above 0 if logarithmic
 * @param most value at {@code to}, above {@code least}
 * @param logarithmic whether each decade has the same length
 * @param from pixels
 * @param to pixels
 */
record Scale(double least, double most, boolean logarithmic, double from, double to) {
  private static final int TICKS = 5;
  private static final double ROUNDING = 1e-9;
  private static final double[] STEPS = {1, 2, 5, 10};

  /** From 0 to a round number. */
  static Scale linear(double most, double from, double to) {
    double step = step(Math.max(most, Double.MIN_NORMAL));
    return new Scale(0, step * Math.ceil(most / step), false, from, to);
  }

  static Scale logarithmic(double least, double most, double from, double to) {
    // room on both sides, also where all values are one
    return new Scale(least / 1.1, most * 1.1, true, from, to);
  }

  double at(double value) {
    double share =
        logarithmic
            ? Math.log(value / least) / Math.log(most / least)
            : (value - least) / (most - least);
    return from + Math.clamp(share, 0, 1) * (to - from);
  }

  /** Round values, some five of them. */
  List<Double> ticks() {
    List<Double> ticks = new ArrayList<>();
    if (!logarithmic) {
      double step = step(most - least);
      for (int i = 0; i * step <= (most - least) * (1 + ROUNDING); i++) {
        ticks.add(least + i * step);
      }
      return ticks;
    }
    boolean wide = most / least > 1000;
    for (double decade = Math.pow(10, Math.floor(Math.log10(least)));
        decade <= most;
        decade *= 10) {
      for (double step : wide ? new double[] {1} : new double[] {1, 2, 5}) {
        if (decade * step >= least && decade * step <= most) {
          ticks.add(decade * step);
        }
      }
    }
    return ticks.isEmpty() ? List.of(Math.sqrt(least * most)) : ticks;
  }

  private static double step(double range) {
    double decade = Math.pow(10, Math.floor(Math.log10(range / TICKS)));
    for (double step : STEPS) {
      if (range / (decade * step) <= TICKS) {
        return decade * step;
      }
    }
    return decade * 10;
  }
}
