package dev.sluice.worker.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

/** Rotated and rounded rows against double precision. */
final class RowQuantizerProperties {
  private static final int BLOCK = RowQuantizer.BLOCK;

  @Property(tries = 50, seed = "1")
  void rotationIsTheHadamardMatrixOfEachBlock(
      @ForAll @LongRange(max = 1 << 30) long seed, @ForAll @IntRange(min = 1, max = 9) int blocks) {
    float[] values = row(new Random(seed), blocks * BLOCK);
    float[] rotated = values.clone();

    Rotation.rotate(rotated, rotated.length);

    for (int i = 0; i < values.length; i++) {
      int block = i / BLOCK * BLOCK;
      double expected = 0;
      double size = 0;
      for (int j = 0; j < BLOCK; j++) {
        boolean negative = Integer.bitCount(i % BLOCK & j) % 2 == 1;
        expected += negative ? -values[block + j] : values[block + j];
        size += Math.abs(values[block + j]);
      }
      assertThat((double) rotated[i]).isCloseTo(expected, within(1e-6 * size + 1e-30));
    }
  }

  @Property(tries = 100, seed = "2")
  void productsComeOutAsWithoutRounding(
      @ForAll @LongRange(max = 1 << 30) long seed,
      @ForAll @IntRange(min = 1, max = 24) int blocks) {
    Random random = new Random(seed);
    int width = blocks * BLOCK;
    float[] activations = row(random, width);
    float[] weights = row(random, width);
    RowQuantizer quantizer = new RowQuantizer(width);
    byte[] signed = new byte[width];
    byte[] unsigned = new byte[width];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(width);

      System.arraycopy(activations, 0, quantizer.row(), 0, width);
      float rowScale = quantizer.quantize(bytes.address());
      float outputScale = quantizer.quantizeWeights(weights, signed, 0);
      assertThat(quantizer.quantizeWeights(weights, unsigned, 128)).isEqualTo(outputScale);

      long sum = 0;
      double expected = 0;
      for (int i = 0; i < width; i++) {
        int activation = Byte.toUnsignedInt(bytes.get(ValueLayout.JAVA_BYTE, i));
        assertThat(activation).isBetween(1, 255);
        assertThat(signed[i]).isBetween((byte) -127, (byte) 127);
        assertThat(Byte.toUnsignedInt(unsigned[i]) - 128).isEqualTo(signed[i]);
        sum += (long) (activation - RowQuantizer.ZERO) * signed[i];
        expected += (double) activations[i] * weights[i];
      }
      assertThat((double) sum * rowScale * outputScale)
          .isCloseTo(expected, within(0.02 * norm(activations) * norm(weights)));
    }
  }

  @Example
  void rowsOfZerosStayZero() {
    RowQuantizer quantizer = new RowQuantizer(BLOCK);
    byte[] weights = new byte[BLOCK];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(BLOCK);

      assertThat(quantizer.quantize(bytes.address())).isZero();
      assertThat(bytes.toArray(ValueLayout.JAVA_BYTE)).containsOnly(RowQuantizer.ZERO);
      assertThat(quantizer.quantizeWeights(new float[BLOCK], weights, 0)).isZero();
      assertThat(weights).containsOnly(0);
    }
  }

  @Example
  void refusesRowsThatAreNotWholeBlocks() {
    assertThatThrownBy(() -> new RowQuantizer(96))
        .hasMessage("width: 96 (expected: a multiple of 64)");
  }

  /** Some channels are far larger than the rest, as in real models. */
  private static float[] row(Random random, int width) {
    float[] row = new float[width];
    for (int i = 0; i < width; i++) {
      row[i] = (float) random.nextGaussian() * (random.nextInt(50) == 0 ? 40 : 1);
    }
    return row;
  }

  private static double norm(float[] row) {
    double sum = 0;
    for (float x : row) {
      sum += (double) x * x;
    }
    return Math.sqrt(sum);
  }
}
