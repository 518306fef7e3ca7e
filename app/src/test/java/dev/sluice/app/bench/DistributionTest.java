package dev.sluice.app.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;

final class DistributionTest {
  /** {@code numpy.percentile([15, 20, 35, 40, 50], [0, 5, 30, 40, 50, 99, 100])}. */
  @Test
  void percentilesAreThoseOfNumPy() {
    Distribution values = new Distribution(new double[] {50, 15, 40, 35, 20});
    double[] percents = {0, 5, 30, 40, 50, 99, 100};
    double[] expected = {15, 16, 23, 29, 35, 49.6, 50};
    for (int i = 0; i < percents.length; i++) {
      assertThat(values.percentile(percents[i])).isCloseTo(expected[i], within(1e-12));
    }
    assertThat(values.mean()).isEqualTo(32);
    assertThat(values.standardDeviation()).isCloseTo(12.884098726725126, within(1e-12));
  }

  @Test
  void nothingHasNoTimes() {
    Distribution none = new Distribution(new double[0]);
    assertThat(none.isEmpty()).isTrue();
    assertThat(none.percentile(99)).isZero();
  }

  /** Gaps of a Poisson process: mean 1/rate, and as large a standard deviation. */
  @Test
  void arrivalsAreAPoissonProcess() {
    LongSupplier arrivals = new Pace.Poisson(50).arrivals(new SplittableRandom(1));
    double[] gaps = new double[100_000];
    long last = 0;
    for (int i = 0; i < gaps.length; i++) {
      long next = arrivals.getAsLong();
      gaps[i] = (next - last) / 1e9;
      last = next;
    }
    Distribution all = new Distribution(gaps);
    assertThat(all.mean()).isCloseTo(0.02, within(0.0003));
    assertThat(all.standardDeviation()).isCloseTo(0.02, within(0.0004));
    assertThat(all.percentile(50)).isCloseTo(0.02 * Math.log(2), within(0.0003));
  }
}
