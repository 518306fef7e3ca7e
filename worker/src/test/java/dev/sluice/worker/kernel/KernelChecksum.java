package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.KernelContext.ParallelBody;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
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
    AttentionWorld world =
        new AttentionWorld(new AttentionShape(3, 1, 48, 0.144f), new int[] {70, 5}, new Random(11));
    int first = checksum(world);
    int last = first;
    for (int i = 1; i < times; i++) {
      last = checksum(world);
    }
    System.out.printf("%08x %08x%n", first, last);
  }

  private static int checksum(AttentionWorld world) {
    float[][] attention = world.run(world.alone(), 1, true, KernelChecksum::inOrder);
    return 31 * Arrays.deepHashCode(attention) + Arrays.hashCode(swiGlu());
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
