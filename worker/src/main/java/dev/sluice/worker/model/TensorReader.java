package dev.sluice.worker.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Turns elements as files store them into float32.
 *
 * <p>Threading: stateless.
 */
final class TensorReader {
  /** Elements that are converted at a time; a multiple of every block. */
  private static final int PIECE = 1 << 14;

  private TensorReader() {}

  /**
   * Reads consecutive elements.
   *
   * @param content the file
   * @param offset of the first element's block, in bytes
   * @param elements whole blocks of them
   * @param destination receives them from element {@code first} on
   */
  static void read(
      MemorySegment content,
      GgmlType type,
      long offset,
      long elements,
      MemorySegment destination,
      long first) {
    int piece = (int) Math.min(PIECE, elements);
    byte[] in = new byte[piece / type.blockElements * type.blockBytes];
    float[] out = new float[piece];
    long from = offset;
    for (long done = 0; done < elements; done += piece) {
      int count = (int) Math.min(piece, elements - done);
      int blocks = count / type.blockElements;
      int bytes = blocks * type.blockBytes;
      MemorySegment.copy(content, ValueLayout.JAVA_BYTE, from, in, 0, bytes);
      type.dequantize(in, blocks, out);
      MemorySegment.copy(
          out,
          0,
          destination,
          ValueLayout.JAVA_FLOAT_UNALIGNED,
          (first + done) * Float.BYTES,
          count);
      from += bytes;
    }
  }

  /** Refuses a destination that is not exactly as large as the weight is in float32. */
  static void checkSize(String name, MemorySegment destination, long elements) {
    if (destination.byteSize() != elements * Float.BYTES) {
      throw new IllegalArgumentException(
          "destination of %s: %d bytes (expected: %d, %d elements)"
              .formatted(name, destination.byteSize(), elements * Float.BYTES, elements));
    }
  }
}
