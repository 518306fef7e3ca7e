package dev.sluice.worker.kernel;

/**
 * Stores new keys, normalized and rotated, and new values in their blocks.
 *
 * <p>Threading: one object per thread. Allocates nothing after construction.
 */
final class CacheWriter {
  private final AttentionShape shape;
  private final KvFormat format;
  private final Rotary rotary;
  private final long headBytes;
  private final float[] head; // [headSize]

  CacheWriter(AttentionShape shape, KvType kvType) {
    this.shape = shape;
    this.format = KvFormat.of(kvType, shape.headSize());
    this.rotary = new Rotary(shape);
    this.headBytes = 4L * shape.headSize();
    this.head = new float[shape.headSize()];
  }

  /** Stores the tokens and KV heads of a unit. */
  void store(AttentionCall call, AttentionUnit unit) {
    int token = call.token(unit.sequence(), unit.start());
    int endHead = unit.firstHead() + unit.heads();
    for (int i = 0; i < unit.tokens(); i++) {
      store(call, unit.sequence(), token + i, unit.start() + i, unit.firstHead(), endHead);
    }
  }

  /** Stores the tokens {@code from} to {@code to - 1} of the step, of all KV heads. */
  void store(AttentionCall call, int from, int to) {
    for (int sequence = 0; sequence < call.sequences; sequence++) {
      int first = call.firstToken(sequence);
      int begin = Math.max(from, first);
      int end = Math.min(to, call.firstToken(sequence + 1));
      for (int token = begin; token < end; token++) {
        int position = call.pastLength(sequence) + token - first;
        store(call, sequence, token, position, 0, shape.kvHeads());
      }
    }
  }

  private void store(
      AttentionCall call, int sequence, int token, int position, int firstHead, int endHead) {
    long block = call.block(sequence, position);
    int slot = position % AttentionShape.BLOCK_SIZE;
    long table = position * headBytes / 2;
    for (int kvHead = firstHead; kvHead < endHead; kvHead++) {
      long source = token * call.keyValueStride + kvHead * headBytes;
      long entry = block * shape.kvHeads() + kvHead;
      long scale = (entry * AttentionShape.BLOCK_SIZE + slot) * 4;
      rotary.rotate(
          call.key + source, call.keyNorm, call.cosine + table, call.sine + table, 1f, head, 0);
      float keyScale = format.storeKey(head, call.keyCache + entry * format.keyBytes(), slot);
      Lanes.copy(call.value + source, head);
      float valueScale =
          format.storeValue(head, call.valueCache + entry * format.valueBytes(), slot);
      if (format.scaled()) {
        Lanes.setFloat(call.keyScales + scale, keyScale);
        Lanes.setFloat(call.valueScales + scale, valueScale);
      }
    }
  }
}
