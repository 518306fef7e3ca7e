package dev.sluice.worker.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * What all kernels share: the vectors of this processor, native memory by address, {@code exp}.
 *
 * <p>Arithmetic is laid out in {@value #LOGICAL} logical lanes, which a processor holds in one, two
 * or four vectors; nothing that is computed depends on how many.
 */
@SuppressWarnings("restricted") // native memory and functions
final class Lanes {
  /** Sums are kept in this many parts, whatever the width of a vector. */
  static final int LOGICAL = 16;

  static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;

  static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;

  /** Lanes of one vector: 4, 8 or 16. */
  static final int WIDTH = SPECIES.length();

  /**
   * All of native memory. A constant, so that the compiler sees no bounds and no liveness check.
   */
  static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

  /**
   * 1.5 * 2^23 + 127: adding it to a small float leaves its integer part in the low bits, with the
   * bias of an exponent.
   */
  private static final float ROUND_TO_EXPONENT = 12583039f;

  /** At and below this {@link #exp2} is zero. */
  private static final float EXP2_ZERO = -127f;

  private static final float LOG2_E = 1.442695f;
  private static final float LN2_HIGH = 0.6933594f;
  private static final float LN2_LOW = -2.1219444e-4f;

  /** 1.5 * 2^23: adding it to a small float leaves its integer part in the low bits. */
  private static final float ROUND = 12582912f;

  /** At and below this {@link #exp} is zero: its power of two has the exponent bits 0. */
  private static final float EXP_ZERO = -88f;

  static {
    if (WIDTH > LOGICAL) {
      throw new IllegalStateException(
          "vectors of " + WIDTH + " floats (expected: at most " + LOGICAL + ")");
    }
  }

  private Lanes() {}

  static FloatVector load(float[] source, int at) {
    return FloatVector.fromArray(SPECIES, source, at);
  }

  static FloatVector load(long address) {
    return FloatVector.fromMemorySegment(SPECIES, MEMORY, address, ORDER);
  }

  static void store(FloatVector vector, long address) {
    vector.intoMemorySegment(MEMORY, address, ORDER);
  }

  static void store(IntVector vector, long address) {
    vector.intoMemorySegment(MEMORY, address, ORDER);
  }

  /** Loads int32 as floats. */
  static FloatVector loadInts(long address) {
    return toFloats(loadBits(address));
  }

  /** Loads lanes of 32 bits. */
  static IntVector loadBits(long address) {
    return IntVector.fromMemorySegment(INTS, MEMORY, address, ORDER);
  }

  static FloatVector toFloats(IntVector ints) {
    return (FloatVector) ints.convertShape(VectorOperators.I2F, SPECIES, 0);
  }

  static IntVector shiftLeft(IntVector lanes, int bits) {
    return lanes.lanewise(VectorOperators.LSHL, bits);
  }

  /** Shifts and keeps the sign. */
  static IntVector shiftRight(IntVector lanes, int bits) {
    return lanes.lanewise(VectorOperators.ASHR, bits);
  }

  /** Rounds to the nearest integer, to even in a tie; for values up to 2^22. */
  static FloatVector round(FloatVector x) {
    return x.add(ROUND).sub(ROUND);
  }

  /** Copies floats out of native memory. */
  static void copy(long address, float[] target) {
    MemorySegment.copy(MEMORY, FLOAT, address, target, 0, target.length);
  }

  /** Fills native memory. */
  static void fill(long address, long bytes, byte value) {
    MEMORY.asSlice(address, bytes).fill(value);
  }

  static float getFloat(long address) {
    return MEMORY.get(FLOAT, address);
  }

  static void setFloat(long address, float value) {
    MEMORY.set(FLOAT, address, value);
  }

  static void setInt(long address, int value) {
    MEMORY.set(INT, address, value);
  }

  /**
   * Sets a byte of an int.
   *
   * @param shift of the byte in the int: 0, 8, 16 or 24
   */
  static void setByte(long address, int shift, byte value) {
    int index = shift / 8;
    MEMORY.set(
        ValueLayout.JAVA_BYTE,
        address + (ORDER == ByteOrder.LITTLE_ENDIAN ? index : 3 - index),
        value);
  }

  static int getInt(long address) {
    return MEMORY.get(INT, address);
  }

  /** A vector of one value. */
  static FloatVector splat(float value) {
    return FloatVector.broadcast(SPECIES, value);
  }

  /**
   * e^x for x up to 88, to about 2 ulp; exactly 0 from {@value #EXP_ZERO} down, so that a masked
   * score of minus infinity weighs nothing.
   */
  static FloatVector exp(FloatVector x) {
    FloatVector clamped = x.max(EXP_ZERO);
    // n = round(x / ln 2), as a float and in the low bits of `shifted`
    FloatVector shifted = clamped.fma(splat(LOG2_E), splat(ROUND));
    FloatVector n = shifted.sub(ROUND);
    FloatVector r = n.fma(splat(-LN2_LOW), n.fma(splat(-LN2_HIGH), clamped));
    FloatVector p = splat(1.9875691e-4f);
    p = p.fma(r, splat(0.0013981999f));
    p = p.fma(r, splat(0.008333452f));
    p = p.fma(r, splat(0.041665796f));
    p = p.fma(r, splat(0.16666666f));
    p = p.fma(r, splat(0.5f));
    p = p.fma(r.mul(r), r).add(1f);
    // The bits of ROUND vanish in the shift, those of n become the exponent.
    IntVector exponent = shifted.reinterpretAsInts().add(127);
    FloatVector power = exponent.lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
    return p.mul(power);
  }

  /**
   * 2^x for x up to 127, to about 1 ulp; exactly 1 for 0, and exactly 0 from {@value #EXP2_ZERO}
   * down, so that a masked score of minus infinity weighs nothing.
   */
  static FloatVector exp2(FloatVector x) {
    FloatVector clamped = x.blend(EXP2_ZERO, x.compare(VectorOperators.LT, EXP2_ZERO));
    FloatVector shifted = clamped.add(ROUND_TO_EXPONENT);
    FloatVector r = clamped.sub(shifted.sub(ROUND_TO_EXPONENT));
    FloatVector p = splat(1.5353358e-4f);
    p = p.fma(r, splat(0.0013398875f));
    p = p.fma(r, splat(0.009618437f));
    p = p.fma(r, splat(0.055503324f));
    p = p.fma(r, splat(0.24022648f));
    p = p.fma(r, splat(0.6931472f));
    p = p.fma(r, splat(1f));
    // The bits of ROUND_TO_EXPONENT but the bias vanish in the shift, the rest is the exponent.
    return p.mul(shiftLeft(shifted.reinterpretAsInts(), 23).reinterpretAsFloats());
  }

  /** The larger of each two; of two zeros either, which {@code max} would have to look at. */
  static FloatVector larger(FloatVector a, FloatVector b) {
    return a.blend(b, b.compare(VectorOperators.GT, a));
  }

  /** The largest lane. A maximum is exact in any order, so the bits are safe here. */
  static float largest(FloatVector lanes) {
    return lanes.reduceLanes(VectorOperators.MAX);
  }

  /** Sums 16 floats in the one fixed order: halves onto halves. */
  static float sum(float[] parts) {
    float s0 = (parts[0] + parts[8]) + (parts[4] + parts[12]);
    float s1 = (parts[1] + parts[9]) + (parts[5] + parts[13]);
    float s2 = (parts[2] + parts[10]) + (parts[6] + parts[14]);
    float s3 = (parts[3] + parts[11]) + (parts[7] + parts[15]);
    return (s0 + s2) + (s1 + s3);
  }
}
