package dev.sluice.worker.graph;

import dev.sluice.worker.kernel.RowQuantizer;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.ModelFileException;
import dev.sluice.worker.ort.ElementType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * A matrix in int8 with a scale for every output: weights of a checkpoint, one below the other, in
 * rotated order.
 *
 * <pre>
 *   name.quantized   int8 or uint8 [inputs, outputs], see {@link IntegerWeights}
 *   name.scales      float [outputs]
 * </pre>
 */
record RowWeight(
    String name, List<String> sources, long outputs, long inputs, IntegerWeights integers)
    implements Weight {
  /** What stands for the activation 0. */
  static final int ACTIVATION_ZERO = RowQuantizer.ZERO;

  /** Outputs that are converted together, so that the transposition writes whole cache lines. */
  private static final int STRIP = 64;

  RowWeight {
    if (inputs % RowQuantizer.BLOCK != 0) {
      throw new ModelFileException(
          name
              + ": rows of "
              + inputs
              + " weights (expected for int8: a multiple of "
              + RowQuantizer.BLOCK
              + "; other precisions are none and int8-block)");
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
    return List.of(
        new Initializer(quantized(), integers.type(), List.of(inputs, outputs)),
        new Initializer(scales(), ElementType.FLOAT, List.of(outputs)));
  }

  @Override
  public void read(Checkpoint checkpoint, List<MemorySegment> targets) {
    MemorySegment quantized = targets.get(0);
    MemorySegment scales = targets.get(1);
    long done =
        Sources.convertEach(
            checkpoint,
            sources,
            (floats, elements, before) ->
                convert(floats, elements / inputs, before / inputs, quantized, scales));
    Sources.checkFilled(name, done, quantized.byteSize());
  }

  /** Converts some outputs' weights; {@code done} outputs are before them in the targets. */
  private void convert(
      MemorySegment floats, long rows, long done, MemorySegment quantized, MemorySegment scales) {
    int width = Math.toIntExact(inputs);
    float[] row = new float[width];
    byte[][] strip = new byte[STRIP][width];
    byte[] line = new byte[STRIP];
    RowQuantizer quantizer = new RowQuantizer(width);
    for (long first = 0; first < rows; first += STRIP) {
      int count = (int) Math.min(STRIP, rows - first);
      for (int i = 0; i < count; i++) {
        long offset = (first + i) * width * Float.BYTES;
        MemorySegment.copy(floats, ValueLayout.JAVA_FLOAT, offset, row, 0, width);
        float scale = quantizer.quantizeWeights(row, strip[i], integers.zero());
        scales.setAtIndex(ValueLayout.JAVA_FLOAT, done + first + i, scale);
      }
      for (int k = 0; k < width; k++) {
        for (int i = 0; i < count; i++) {
          line[i] = strip[i][k];
        }
        long offset = k * outputs + done + first;
        MemorySegment.copy(line, 0, quantized, ValueLayout.JAVA_BYTE, offset, count);
      }
    }
  }
}
