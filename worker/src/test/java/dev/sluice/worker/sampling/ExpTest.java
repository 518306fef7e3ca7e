package dev.sluice.worker.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import jdk.incubator.vector.FloatVector;
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

  @Test
  void lanesHaveTheBitsOfTheScalar() {
    int lanes = Exp.SPECIES.length();
    float[] arguments = new float[lanes];
    float[] results = new float[lanes];
    float x = -100;
    while (x < 0) {
      for (int i = 0; i < lanes; i++) {
        arguments[i] = Math.min(0, x);
        x += 0.00037f;
      }
      arguments[0] = x > -50 ? arguments[0] : Float.NEGATIVE_INFINITY;
      Exp.ofNonPositive(FloatVector.fromArray(Exp.SPECIES, arguments, 0)).intoArray(results, 0);
      for (int i = 0; i < lanes; i++) {
        assertThat(Float.floatToRawIntBits(results[i]))
            .as("exp(%s)", arguments[i])
            .isEqualTo(Float.floatToRawIntBits(Exp.ofNonPositive(arguments[i])));
      }
    }
  }
}
