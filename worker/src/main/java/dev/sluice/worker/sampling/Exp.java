package dev.sluice.worker.sampling;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The exponential function by additions and multiplications alone, which have one right result each
 * ({@code Math.exp} may differ between machines, and the vector library's even between interpreted
 * and compiled code). So one lane, sixteen, or a scalar give the same bits.
 */
final class Exp {
  static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;

  /** Below this the result is 0. */
  private static final float LOWEST = -87;

  private static final float LOG2_E = 0x1.715476p0f;
  // ln 2 in two parts, the first with so few bits that its product with a small integer is exact
  private static final float LN2_HIGH = 0x1.63p-1f;
  private static final float LN2_LOW = -2.1219444e-4f;
  // adding and subtracting it rounds a float below 2^22 to an integer
  private static final float ROUND = 0x1.8p23f;
  // polynomial for e^r, |r| <= ln 2 / 2 (Cephes, expf)
  private static final float C5 = 1.9875691e-4f;
  private static final float C4 = 1.3981999e-3f;
  private static final float C3 = 8.333452e-3f;
  private static final float C2 = 4.1665796e-2f;
  private static final float C1 = 0.16666666f;
  private static final float C0 = 0.5f;

  private Exp() {}

  /**
   * e to the power of x, for x &lt;= 0, within 2 units in the last place; 0 below -87.
   *
   * @param x not NaN; minus infinity gives 0
   */
  static float ofNonPositive(float x) {
    if (x < LOWEST) {
      return 0;
    }
    float n = (x * LOG2_E + ROUND) - ROUND; // x = n ln 2 + r
    float r = (x - n * LN2_HIGH) - n * LN2_LOW;
    float p = ((((C5 * r + C4) * r + C3) * r + C2) * r + C1) * r + C0;
    p = (p * (r * r) + r) + 1;
    return p * Float.intBitsToFloat(((int) n + 127) << 23);
  }

  /** The same of every lane. */
  static FloatVector ofNonPositive(FloatVector argument) {
    FloatVector x = argument.max(LOWEST);
    FloatVector n = x.mul(LOG2_E).add(ROUND).sub(ROUND);
    FloatVector r = x.sub(n.mul(LN2_HIGH)).sub(n.mul(LN2_LOW));
    FloatVector p = r.mul(C5).add(C4).mul(r).add(C3).mul(r).add(C2).mul(r).add(C1).mul(r).add(C0);
    p = p.mul(r.mul(r)).add(r).add(1);
    IntVector exponent = (IntVector) n.convert(VectorOperators.F2I, 0);
    FloatVector power = exponent.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
    return p.mul(power).blend(0, argument.lt(LOWEST));
  }
}
