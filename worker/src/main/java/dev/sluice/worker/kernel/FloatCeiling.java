package dev.sluice.worker.kernel;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * How fast this machine multiplies and adds floats in registers: no kernel is faster.
 *
 * <p>Threading: one object per thread.
 */
public final class FloatCeiling {
  /** Enough independent sums to hide the latency of an addition. */
  private static final int SUMS = 12;

  private static final int ROUNDS = 1 << 16;

  private final float[] result = new float[Lanes.LOGICAL];

  /**
   * Multiplies and adds for a while.
   *
   * @return operations done; a product and a sum are two
   */
  public long run() {
    FloatVector factor = Lanes.splat(0.999f);
    FloatVector term = Lanes.splat(0.001f);
    FloatVector s0 = Lanes.splat(0);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    FloatVector s4 = s0;
    FloatVector s5 = s0;
    FloatVector s6 = s0;
    FloatVector s7 = s0;
    FloatVector s8 = s0;
    FloatVector s9 = s0;
    FloatVector s10 = s0;
    FloatVector s11 = s0;
    for (int i = 0; i < ROUNDS; i++) {
      s0 = s0.fma(factor, term);
      s1 = s1.fma(factor, term);
      s2 = s2.fma(factor, term);
      s3 = s3.fma(factor, term);
      s4 = s4.fma(factor, term);
      s5 = s5.fma(factor, term);
      s6 = s6.fma(factor, term);
      s7 = s7.fma(factor, term);
      s8 = s8.fma(factor, term);
      s9 = s9.fma(factor, term);
      s10 = s10.fma(factor, term);
      s11 = s11.fma(factor, term);
    }
    s0.add(s1)
        .add(s2)
        .add(s3)
        .add(s4)
        .add(s5)
        .add(s6)
        .add(s7)
        .add(s8)
        .add(s9)
        .add(s10)
        .add(s11)
        .intoArray(result, 0);
    return 2L * ROUNDS * SUMS * Lanes.WIDTH;
  }

  /** What came out: the work has a use. */
  public int checksum() {
    return Arrays.hashCode(result);
  }
}
