package dev.sluice.worker.sampling;

/**
 * The exponential function by additions and multiplications alone, whose results Java defines to
 * the bit; {@code Math.exp} may differ between machines.
 */
final class Exp {
  private static final float LOG2_E = 0x1.715476p0f;
  // ln 2 in two parts, the first with so few bits that its product with a small integer is exact
  private static final float LN2_HIGH = 0x1.63p-1f;
  private static final float LN2_LOW = -2.12194440e-4f;
  // adding and subtracting it rounds a float below 2^22 to an integer
  private static final float ROUND = 0x1.8p23f;

  private Exp() {}

  /**
   * e to the power of x, for x &lt;= 0, within 2 units in the last place; 0 below -87.
   *
   * @param x not NaN; minus infinity gives 0
   */
  static float ofNonPositive(float x) {
    if (x < -87) {
      return 0;
    }
    // x = n ln 2 + r, |r| <= ln 2 / 2; e^r by a polynomial (coefficients: Cephes, expf)
    float n = (x * LOG2_E + ROUND) - ROUND;
    float r = (x - n * LN2_HIGH) - n * LN2_LOW;
    float p = 1.9875691e-4f;
    p = p * r + 1.3981999e-3f;
    p = p * r + 8.333452e-3f;
    p = p * r + 4.1665796e-2f;
    p = p * r + 0.16666666f;
    p = p * r + 0.5f;
    p = p * (r * r) + r + 1;
    return p * Float.intBitsToFloat(((int) n + 127) << 23);
  }
}
