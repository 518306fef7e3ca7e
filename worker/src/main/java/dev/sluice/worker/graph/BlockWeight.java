package dev.sluice.worker.graph;

import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.ModelFileException;
import dev.sluice.worker.ort.ElementType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * A matrix in 8 bits: weights of a checkpoint, one below the other, with a scale for every {@value
 * #BLOCK} of a row.
 *
 * <pre>
 *   name.quantized   uint8 [rows, columns], or [rows, columns / 32, 32]; 128 is zero
 *   name.scales      float [rows, columns / 32]
 *   w = (quantized - 128) * scale
 * </pre>
 *
 * @param blocked whether the quantized tensor has the three dimensions that {@code MatMulNBits}
 *     wants
 */
record BlockWeight(String name, List<String> sources, long rows, long columns, boolean blocked)
    implements Weight {
  /** Weights that share a scale. */
  static final int BLOCK = 32;

  private static final int ZERO = 128;
  private static final float LARGEST = 127f;

  BlockWeight {
    checkColumns(name, columns);
  }

  /**
   * @throws ModelFileException unless rows are whole blocks
   */
  static void checkColumns(String name, long columns) {
    if (columns % BLOCK != 0) {
      throw new ModelFileException(
          name + ": rows of " + columns + " weights (expected: a multiple of " + BLOCK + ")");
    }
  }

  String quantized() {
    return name + ".quantized";
  }

  String scales() {
    return name + ".scales";
  }

  @Override
  public List<Initializer> initializers() {
    long blocks = columns / BLOCK;
    return List.of(
        new Initializer(
            quantized(),
            ElementType.UINT8,
            blocked ? List.of(rows, blocks, (long) BLOCK) : List.of(rows, columns)),
        new Initializer(scales(), ElementType.FLOAT, List.of(rows, blocks)));
  }

  @Override
  public void read(Checkpoint checkpoint, List<MemorySegment> targets) {
    MemorySegment quantized = targets.get(0);
    MemorySegment scales = targets.get(1);
    long done =
        Sources.convertEach(
            checkpoint,
            sources,
            (floats, elements, before) -> quantize(floats, elements, quantized, scales, before));
    Sources.checkFilled(name, done, quantized.byteSize());
  }

  /** Quantises whole blocks; {@code done} weights are before them in the targets. */
  private static void quantize(
      MemorySegment floats,
      long elements,
      MemorySegment quantized,
      MemorySegment scales,
      long done) {
    float[] block = new float[BLOCK];
    byte[] bytes = new byte[BLOCK];
    for (long i = 0; i < elements; i += BLOCK) {
      MemorySegment.copy(floats, ValueLayout.JAVA_FLOAT, i * Float.BYTES, block, 0, BLOCK);
      float scale = quantize(block, bytes);
      MemorySegment.copy(bytes, 0, quantized, ValueLayout.JAVA_BYTE, done + i, BLOCK);
      scales.setAtIndex(ValueLayout.JAVA_FLOAT, (done + i) / BLOCK, scale);
    }
  }

  /** Quantises one block, symmetrically; returns its scale. */
  static float quantize(float[] block, byte[] quantized) {
    float largest = 0;
    for (float weight : block) {
      largest = Math.max(largest, Math.abs(weight));
    }
    float scale = largest / LARGEST;
    float inverse = largest == 0 ? 0 : LARGEST / largest;
    for (int i = 0; i < block.length; i++) {
      quantized[i] = (byte) (Math.round(block[i] * inverse) + ZERO);
    }
    return scale;
  }
}
