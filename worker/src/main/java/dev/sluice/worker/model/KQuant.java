package dev.sluice.worker.model;

/**
 * The GGUF types that give 256 elements two levels of scales: half-precision numbers for the block,
 * and small whole numbers, by which those are multiplied, for groups of 16 or 32 elements.
 */
final class KQuant {
  /** Elements of a block. */
  static final int BLOCK = 256;

  static final int Q4_K_BYTES = 144;
  static final int Q5_K_BYTES = 176;
  static final int Q6_K_BYTES = 210;

  /** Elements of {@code Q4_K} and {@code Q5_K} that share a scale and a minimum. */
  private static final int GROUP = 32;

  private KQuant() {}

  /**
   * <pre>
   *   0  scale | minimum
   *   4  12 bytes: scales and minima of 8 groups, see {@link #groupScale}
   *  16  128 bytes: of each 32 the low halves are one group, the high halves the next
   * </pre>
   */
  static void dequantizeQ4K(byte[] in, int blocks, float[] out) {
    for (int block = 0; block < blocks; block++) {
      int from = block * Q4_K_BYTES;
      for (int group = 0; group < BLOCK / GROUP; group++) {
        float scale = GgmlType.half(in, from) * groupScale(in, from + 4, group);
        float minimum = GgmlType.half(in, from + 2) * groupMinimum(in, from + 4, group);
        int shift = group % 2 * 4;
        int nibbles = from + 16 + group / 2 * GROUP;
        int to = block * BLOCK + group * GROUP;
        for (int i = 0; i < GROUP; i++) {
          int quantized = in[nibbles + i] >> shift & 15;
          out[to + i] = scale * quantized - minimum;
        }
      }
    }
  }

  /**
   * <pre>
   *   0  scale | minimum
   *   4  12 bytes: scales and minima of 8 groups, see {@link #groupScale}
   *  16  32 bytes: bit g of byte i is the fifth bit of element i of group g
   *  48  128 bytes: of each 32 the low halves are one group, the high halves the next
   * </pre>
   */
  static void dequantizeQ5K(byte[] in, int blocks, float[] out) {
    for (int block = 0; block < blocks; block++) {
      int from = block * Q5_K_BYTES;
      for (int group = 0; group < BLOCK / GROUP; group++) {
        float scale = GgmlType.half(in, from) * groupScale(in, from + 4, group);
        float minimum = GgmlType.half(in, from + 2) * groupMinimum(in, from + 4, group);
        int shift = group % 2 * 4;
        int nibbles = from + 48 + group / 2 * GROUP;
        int to = block * BLOCK + group * GROUP;
        for (int i = 0; i < GROUP; i++) {
          int high = in[from + 16 + i] >> group & 1;
          int quantized = (in[nibbles + i] >> shift & 15) | high << 4;
          out[to + i] = scale * quantized - minimum;
        }
      }
    }
  }

  /**
   * <pre>
   *   0  128 bytes: of each 64 the low halves are elements 0 to 63 of a half, the high halves 64 to 127
   * 128  64 bytes: bits 2 j and 2 j + 1 of byte i of each 32 are the upper bits of element 32 j + i
   *      of a half
   * 192  16 scales of 16 elements each, signed
   * 208  scale
   * </pre>
   *
   * A half is 128 elements; quantised numbers are 32 too large.
   */
  static void dequantizeQ6K(byte[] in, int blocks, float[] out) {
    for (int block = 0; block < blocks; block++) {
      int from = block * Q6_K_BYTES;
      float scale = GgmlType.half(in, from + 208);
      for (int i = 0; i < BLOCK; i++) {
        int half = i / 128;
        int inHalf = i % 128;
        int low = in[from + half * 64 + inHalf % 64] >> (inHalf / 64 * 4) & 15;
        int high = in[from + 128 + half * 32 + inHalf % 32] >> (inHalf / 32 * 2) & 3;
        int quantized = (low | high << 4) - 32;
        out[block * BLOCK + i] = scale * in[from + 192 + i / 16] * quantized;
      }
    }
  }

  /**
   * Six bits for each of eight scales (s) and minima (m), in 12 bytes:
   *
   * <pre>
   * byte 0 to 3    bits 0 to 5: s 0 to 3    bits 6, 7: bits 4, 5 of s 4 to 7
   * byte 4 to 7    bits 0 to 5: m 0 to 3    bits 6, 7: bits 4, 5 of m 4 to 7
   * byte 8 to 11   bits 0 to 3: s 4 to 7    bits 4 to 7: m 4 to 7
   * </pre>
   */
  private static int groupScale(byte[] in, int at, int group) {
    return group < 4
        ? in[at + group] & 63
        : (in[at + group + 4] & 15) | (in[at + group - 4] >> 6 & 3) << 4;
  }

  private static int groupMinimum(byte[] in, int at, int group) {
    return group < 4
        ? in[at + group + 4] & 63
        : (in[at + group + 4] >> 4 & 15) | (in[at + group] >> 6 & 3) << 4;
  }
}
