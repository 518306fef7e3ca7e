package dev.sluice.worker.graph;

import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.ort.ElementType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * A matrix in 4 bits: weights of a checkpoint, one below the other, with a scale and a zero for
 * every {@value #BLOCK} of a row, in the layout of {@code MatMulNBits}.
 *
 * <pre>
 *   name.quantized   uint8 [rows, columns / 32, 16]; the lower nibble is the earlier weight
 *   name.scales      float [rows, columns / 32]
 *   name.zeros       uint8 [rows, ceil(columns / 64)]; the lower nibble is the earlier block
 *   w = (nibble - zero) * scale
 * </pre>
 */
record NibbleWeight(String name, List<String> sources, long rows, long columns) implements Weight {
  static final int BLOCK = BlockWeight.BLOCK;

  NibbleWeight {
    BlockWeight.checkColumns(name, columns);
  }

  String quantized() {
    return name + ".quantized";
  }

  String scales() {
    return name + ".scales";
  }

  String zeros() {
    return name + ".zeros";
  }

  private long blocks() {
    return columns / BLOCK;
  }

  @Override
  public List<Initializer> initializers() {
    return List.of(
        new Initializer(quantized(), ElementType.UINT8, List.of(rows, blocks(), BLOCK / 2L)),
        new Initializer(scales(), ElementType.FLOAT, List.of(rows, blocks())),
        new Initializer(zeros(), ElementType.UINT8, List.of(rows, (blocks() + 1) / 2)));
  }

  @Override
  public void read(Checkpoint checkpoint, List<MemorySegment> targets) {
    long done =
        Sources.convertEach(
            checkpoint,
            sources,
            (floats, elements, before) -> {
              for (long row = 0; row < elements / columns; row++) {
                long offset = row * columns * Float.BYTES;
                convert(floats.asSlice(offset), before / columns + row, targets);
              }
            });
    Sources.checkFilled(name, done / 2, targets.getFirst().byteSize());
  }

  private void convert(MemorySegment floats, long row, List<MemorySegment> targets) {
    float[] weights = new float[BLOCK];
    byte[] bytes = new byte[BLOCK / 2];
    byte[] zeros = new byte[Math.toIntExact((blocks() + 1) / 2)];
    for (int block = 0; block < blocks(); block++) {
      long offset = (long) block * BLOCK * Float.BYTES;
      MemorySegment.copy(floats, ValueLayout.JAVA_FLOAT, offset, weights, 0, BLOCK);
      NibbleGrid grid = NibbleGrid.fit(weights);
      for (int i = 0; i < bytes.length; i++) {
        int earlier = grid.nibble(weights[2 * i]);
        bytes[i] = (byte) (earlier | (grid.nibble(weights[2 * i + 1]) << 4));
      }
      zeros[block / 2] |= (byte) (grid.zero() << (4 * (block % 2)));
      long index = row * blocks() + block;
      MemorySegment.copy(
          bytes, 0, targets.get(0), ValueLayout.JAVA_BYTE, index * bytes.length, bytes.length);
      targets.get(1).setAtIndex(ValueLayout.JAVA_FLOAT, index, grid.scale());
    }
    MemorySegment.copy(
        zeros, 0, targets.get(2), ValueLayout.JAVA_BYTE, row * zeros.length, zeros.length);
  }
}
