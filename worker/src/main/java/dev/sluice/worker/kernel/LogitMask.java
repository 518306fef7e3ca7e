package dev.sluice.worker.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** Bans tokens of a row of logits by a mask of one bit per token. */
public final class LogitMask {
  private LogitMask() {}

  /**
   * Sets to minus infinity all logits but those whose bit is set: bit {@code token % 64} of word
   * {@code token / 64}. Allocates nothing.
   *
   * @param logits float32
   * @param rowStart index of the row's first logit
   * @param tokens of the row
   * @param mask words beyond its end are taken as 0
   */
  public static void keep(MemorySegment logits, long rowStart, int tokens, long[] mask) {
    for (int begin = 0; begin < tokens; begin += Long.SIZE) {
      long word = begin / Long.SIZE < mask.length ? mask[begin / Long.SIZE] : 0;
      if (word != -1L) {
        keep(logits, rowStart + begin, Math.min(Long.SIZE, tokens - begin), word);
      }
    }
  }

  private static void keep(MemorySegment logits, long start, int count, long word) {
    int i = 0;
    for (; i + Lanes.WIDTH <= count; i += Lanes.WIDTH) {
      long at = Float.BYTES * (start + i);
      FloatVector.fromMemorySegment(Lanes.SPECIES, logits, at, Lanes.ORDER)
          .blend(Float.NEGATIVE_INFINITY, VectorMask.fromLong(Lanes.SPECIES, ~(word >>> i)))
          .intoMemorySegment(logits, at, Lanes.ORDER);
    }
    for (; i < count; i++) {
      if ((word >>> i & 1) == 0) {
        logits.setAtIndex(ValueLayout.JAVA_FLOAT, start + i, Float.NEGATIVE_INFINITY);
      }
    }
  }
}
