package dev.sluice.worker.kernel;

import java.lang.foreign.MemorySegment;

/**
 * Stores new keys, rotated and transposed, and new values in their blocks.
 *
 * <p>Threading: one object per thread. Allocates nothing after construction.
 */
final class CacheWriter {
  private final AttentionShape shape;
  private final int headSize;
  private final long headBytes;
  private final Rotary rotary;
  private final float[] rotated; // [headSize]

  CacheWriter(AttentionShape shape) {
    this.shape = shape;
    this.headSize = shape.headSize();
    this.headBytes = 4L * headSize;
    this.rotary = new Rotary(shape);
    this.rotated = new float[headSize];
  }

  /** Stores the tokens {@code from} to {@code to - 1} of the step, of all KV heads. */
  void write(AttentionCall call, int from, int to) {
    for (int sequence = 0; sequence < call.sequences; sequence++) {
      int first = call.firstToken(sequence);
      int begin = Math.max(from, first);
      int end = Math.min(to, call.firstToken(sequence + 1));
      for (int token = begin; token < end; token++) {
        writeToken(call, token, sequence, call.pastLength(sequence) + token - first);
      }
    }
  }

  private void writeToken(AttentionCall call, int token, int sequence, int position) {
    long block = call.block(sequence, position);
    long slot = position % AttentionShape.BLOCK_SIZE;
    long table = position * headBytes / 2;
    for (int head = 0; head < shape.kvHeads(); head++) {
      long source = token * call.keyValueStride + head * headBytes;
      long cached = (block * shape.kvHeads() + head) * shape.blockBytes();
      rotary.rotate(
          call.key + source, call.keyNorm, call.cosine + table, call.sine + table, 1f, rotated, 0);
      long lane = call.keyCache + cached + 4 * slot;
      for (int d = 0; d < headSize; d++) {
        Lanes.setFloat(lane + 4L * Lanes.LOGICAL * d, rotated[d]);
      }
      MemorySegment.copy(
          Lanes.MEMORY,
          call.value + source,
          Lanes.MEMORY,
          call.valueCache + cached + slot * headBytes,
          headBytes);
    }
  }
}
