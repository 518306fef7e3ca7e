package dev.sluice.worker.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ExpTest {
  @Test
  void isWithinTwoUnitsInTheLastPlace() {
    for (float x = -87; x < 0; x += 0.00137f) {
      double exact = StrictMath.exp(x);
      assertThat(Math.abs(Exp.ofNonPositive(x) - exact))
          .as("exp(%s)", x)
          .isLessThanOrEqualTo(2 * Math.ulp((float) exact));
    }
  }

  @Test
  void isExactAtTheEnds() {
    assertThat(Exp.ofNonPositive(0)).isEqualTo(1);
    assertThat(Exp.ofNonPositive(-0f)).isEqualTo(1);
    assertThat(Exp.ofNonPositive(-88)).isZero();
    assertThat(Exp.ofNonPositive(-Float.MAX_VALUE)).isZero();
    assertThat(Exp.ofNonPositive(Float.NEGATIVE_INFINITY)).isZero();
  }
}
