package dev.sluice.worker.graph;

import dev.sluice.worker.ort.ElementType;
import java.util.Locale;

/** A float in 16 bits: what weights, activations and the KV cache are held in on a GPU. */
public enum HalfType {
  /** IEEE binary16: 11 significant bits, up to 65504. */
  FLOAT16(ElementType.FLOAT16, 65504f),
  /** The upper half of a float32: 8 significant bits, and its range. */
  BFLOAT16(ElementType.BFLOAT16, Float.intBitsToFloat(0x7f7f0000));

  private static final int BFLOAT16_QUIET = 0x0040;

  private final ElementType elementType;
  private final float largest;

  HalfType(ElementType elementType, float largest) {
    this.elementType = elementType;
    this.largest = largest;
  }

  public ElementType elementType() {
    return elementType;
  }

  /** The largest finite value. */
  public float largest() {
    return largest;
  }

  /** The name on the command line, such as {@code float16}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Rounds to the nearest, ties to even; what is larger than the largest becomes infinite. */
  public short of(float value) {
    return switch (this) {
      case FLOAT16 -> Float.floatToFloat16(value);
      case BFLOAT16 -> toBfloat16(value);
    };
  }

  /** The same value as a float32; exact. */
  public float toFloat(short half) {
    return switch (this) {
      case FLOAT16 -> Float.float16ToFloat(half);
      case BFLOAT16 -> Float.intBitsToFloat(half << Short.SIZE);
    };
  }

  private static short toBfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) ((bits >>> Short.SIZE) | BFLOAT16_QUIET); // rounding could make it infinite
    }
    int even = (bits >>> Short.SIZE) & 1;
    return (short) ((bits + 0x7fff + even) >>> Short.SIZE);
  }
}
