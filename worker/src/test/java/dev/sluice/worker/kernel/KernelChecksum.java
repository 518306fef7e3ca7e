package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.KernelContext.ParallelBody;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Runs the kernels a number of times and prints a checksum of the bits of the first and of the last
 * results: the two must be the same in one process, and in any other.
 */
final class KernelChecksum {
  private KernelChecksum() {}

  /**
   * Prints the checksums.
   *
   * @param arguments how many times
   */
  public static void main(String[] arguments) {
    int times = Integer.parseInt(arguments[0]);
    List<AttentionWorld> worlds =
        List.of(
            world(KvType.FLOAT32, AttentionShape.NO_WINDOW, false),
            world(KvType.FLOAT32, 30, true),
            world(KvType.BF16, AttentionShape.NO_WINDOW, false),
            world(KvType.INT8, AttentionShape.NO_WINDOW, false));
    int first = checksum(worlds);
    int last = first;
    for (int i = 1; i < times; i++) {
      last = checksum(worlds);
    }
    System.out.printf("%08x %08x%n", first, last);
  }

  private static AttentionWorld world(KvType kvType, int window, boolean normalized) {
    return new AttentionWorld(
        new AttentionShape(3, 1, 48, 0.144f, window, 1e-5f),
        kvType,
        new int[] {70, 5},
        normalized,
        new Random(11));
  }

  private static int checksum(List<AttentionWorld> worlds) {
    int sum = 31 * Arrays.hashCode(swiGlu()) + rows();
    for (AttentionWorld world : worlds) {
      float[][] attention = world.run(world.alone(), 1, true, KernelChecksum::inOrder);
      sum = 31 * sum + Arrays.deepHashCode(attention);
    }
    return sum;
  }

  /** Norm, rotation, rounding of a row and of weights. */
  private static int rows() {
    Random random = new Random(13);
    int width = 3 * RowQuantizer.BLOCK;
    float[] row = new float[width];
    for (int i = 0; i < width; i++) {
      row[i] = (float) random.nextGaussian();
    }
    RowQuantizer quantizer = new RowQuantizer(width);
    byte[] weights = new byte[width];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(width);
      float outputScale = quantizer.quantizeWeights(row, weights, 0);
      System.arraycopy(row, 0, quantizer.row(), 0, width);
      new RowNorm(1e-5f)
          .apply(quantizer.row(), arena.allocateFrom(ValueLayout.JAVA_FLOAT, row).address());
      float rowScale = quantizer.quantize(bytes.address());
      int sum = 31 * Float.floatToRawIntBits(outputScale) + Float.floatToRawIntBits(rowScale);
      return 31 * (31 * sum + Arrays.hashCode(weights))
          + Arrays.hashCode(bytes.toArray(ValueLayout.JAVA_BYTE));
    }
  }

  private static float[] swiGlu() {
    Random random = new Random(12);
    int width = 56;
    float[] input = new float[2 * width];
    for (int i = 0; i < input.length; i++) {
      input[i] = (float) random.nextGaussian() * 5;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment output = arena.allocate(ValueLayout.JAVA_FLOAT, width);
      new SwiGlu(1)
          .run(
              arena.allocateFrom(ValueLayout.JAVA_FLOAT, input).address(),
              1,
              width,
              output.address(),
              KernelChecksum::inOrder);
      return output.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  private static void inOrder(int tasks, ParallelBody body) {
    for (int i = 0; i < tasks; i++) {
      body.run(i);
    }
  }
}
