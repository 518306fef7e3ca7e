package dev.sluice.worker.model;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * How a GGUF file stores the elements of a tensor: blocks of {@link #blockElements} elements in
 * {@link #blockBytes} bytes, little-endian.
 *
 * <p>{@code scale} and {@code minimum} below are half-precision numbers at the head of a block.
 */
enum GgmlType {
  F32(0, 1, Float.BYTES) {
    @Override
    void dequantize(byte[] in, int blocks, float[] out) {
      for (int i = 0; i < blocks; i++) {
        out[i] = (float) FLOAT.get(in, i * Float.BYTES);
      }
    }
  },

  F16(1, 1, Short.BYTES) {
    @Override
    void dequantize(byte[] in, int blocks, float[] out) {
      for (int i = 0; i < blocks; i++) {
        out[i] = half(in, i * Short.BYTES);
      }
    }
  },

  /** {@code scale | 16 bytes}: 4-bit numbers, less 8; the low halves come first. */
  Q4_0(2, 32, 18) {
    @Override
    void dequantize(byte[] in, int blocks, float[] out) {
      for (int block = 0; block < blocks; block++) {
        int from = block * 18;
        int to = block * 32;
        float scale = half(in, from);
        for (int i = 0; i < 16; i++) {
          int pair = in[from + 2 + i];
          out[to + i] = ((pair & 15) - 8) * scale;
          out[to + 16 + i] = ((pair >> 4 & 15) - 8) * scale;
        }
      }
    }
  },

  /** {@code scale | minimum | 16 bytes}: 4-bit numbers; the low halves come first. */
  Q4_1(3, 32, 20) {
    @Override
    void dequantize(byte[] in, int blocks, float[] out) {
      for (int block = 0; block < blocks; block++) {
        int from = block * 20;
        int to = block * 32;
        float scale = half(in, from);
        float minimum = half(in, from + 2);
        for (int i = 0; i < 16; i++) {
          int pair = in[from + 4 + i];
          out[to + i] = (pair & 15) * scale + minimum;
          out[to + 16 + i] = (pair >> 4 & 15) * scale + minimum;
        }
      }
    }
  },

  /**
   * {@code scale | 4 bytes | 16 bytes}: 5-bit numbers, less 16; bit i of the four bytes is the
   * fifth bit of number i, the low halves of the others come first.
   */
  Q5_0(6, 32, 22) {
    @Override
    void dequantize(byte[] in, int blocks, float[] out) {
      for (int block = 0; block < blocks; block++) {
        int from = block * 22;
        int to = block * 32;
        float scale = half(in, from);
        int high = (int) INT.get(in, from + 2);
        for (int i = 0; i < 16; i++) {
          int pair = in[from + 6 + i];
          out[to + i] = (((pair & 15) | (high >> i & 1) << 4) - 16) * scale;
          out[to + 16 + i] = (((pair >> 4 & 15) | (high >> (i + 16) & 1) << 4) - 16) * scale;
        }
      }
    }
  },

  /** {@code scale | minimum | 4 bytes | 16 bytes}: 5-bit numbers, laid out as for {@link #Q5_0}. */
  Q5_1(7, 32, 24) {
    @Override
    void dequantize(byte[] in, int blocks, float[] out) {
      for (int block = 0; block < blocks; block++) {
        int from = block * 24;
        int to = block * 32;
        float scale = half(in, from);
        float minimum = half(in, from + 2);
        int high = (int) INT.get(in, from + 4);
        for (int i = 0; i < 16; i++) {
          int pair = in[from + 8 + i];
          out[to + i] = ((pair & 15) | (high >> i & 1) << 4) * scale + minimum;
          out[to + 16 + i] = ((pair >> 4 & 15) | (high >> (i + 16) & 1) << 4) * scale + minimum;
        }
      }
    }
  },

  /** {@code scale | 32 bytes}: signed 8-bit numbers. */
  Q8_0(8, 32, 34) {
    @Override
    void dequantize(byte[] in, int blocks, float[] out) {
      for (int block = 0; block < blocks; block++) {
        int from = block * 34;
        int to = block * 32;
        float scale = half(in, from);
        for (int i = 0; i < 32; i++) {
          out[to + i] = in[from + 2 + i] * scale;
        }
      }
    }
  },

  Q4_K(12, KQuant.BLOCK, KQuant.Q4_K_BYTES) {
    @Override
    void dequantize(byte[] in, int blocks, float[] out) {
      KQuant.dequantizeQ4K(in, blocks, out);
    }
  },

  Q5_K(13, KQuant.BLOCK, KQuant.Q5_K_BYTES) {
    @Override
    void dequantize(byte[] in, int blocks, float[] out) {
      KQuant.dequantizeQ5K(in, blocks, out);
    }
  },

  Q6_K(14, KQuant.BLOCK, KQuant.Q6_K_BYTES) {
    @Override
    void dequantize(byte[] in, int blocks, float[] out) {
      KQuant.dequantizeQ6K(in, blocks, out);
    }
  },

  BF16(30, 1, Short.BYTES) {
    @Override
    void dequantize(byte[] in, int blocks, float[] out) {
      for (int i = 0; i < blocks; i++) {
        out[i] = Float.intBitsToFloat((short) SHORT.get(in, i * Short.BYTES) << 16);
      }
    }
  };

  private static final VarHandle FLOAT =
      MethodHandles.byteArrayViewVarHandle(float[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

  /** Number of the type in the file. */
  final int id;

  /** Elements of a block. */
  final int blockElements;

  /** Bytes of a block. */
  final int blockBytes;

  GgmlType(int id, int blockElements, int blockBytes) {
    this.id = id;
    this.blockElements = blockElements;
    this.blockBytes = blockBytes;
  }

  /**
   * Turns whole blocks into float32.
   *
   * @param in {@code blocks * blockBytes} bytes
   * @param out receives {@code blocks * blockElements} elements
   */
  abstract void dequantize(byte[] in, int blocks, float[] out);

  static Optional<GgmlType> ofId(int id) {
    return Arrays.stream(values()).filter(type -> type.id == id).findFirst();
  }

  /** The types that can be read, for messages. */
  static String supported() {
    return Arrays.stream(values()).map(Enum::name).collect(Collectors.joining(", "));
  }

  /** Name of a type, whether it can be read or not, for messages. */
  static String describe(int id) {
    String name =
        switch (id) {
          case 9 -> "Q8_1";
          case 10 -> "Q2_K";
          case 11 -> "Q3_K";
          case 15 -> "Q8_K";
          case 16 -> "IQ2_XXS";
          case 17 -> "IQ2_XS";
          case 18 -> "IQ3_XXS";
          case 19 -> "IQ1_S";
          case 20 -> "IQ4_NL";
          case 21 -> "IQ3_S";
          case 22 -> "IQ2_S";
          case 23 -> "IQ4_XS";
          case 24 -> "I8";
          case 25 -> "I16";
          case 26 -> "I32";
          case 27 -> "I64";
          case 28 -> "F64";
          case 29 -> "IQ1_M";
          case 34 -> "TQ1_0";
          case 35 -> "TQ2_0";
          case 39 -> "MXFP4";
          default -> ofId(id).map(Enum::name).orElse("unknown");
        };
    return name + " (number " + Integer.toUnsignedString(id) + ")";
  }

  /** The half-precision number at {@code at}. */
  static float half(byte[] in, int at) {
    return Float.float16ToFloat((short) SHORT.get(in, at));
  }
}
