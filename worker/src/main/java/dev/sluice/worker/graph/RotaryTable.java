package dev.sluice.worker.graph;

import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.ort.ElementType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * Cosines and sines of the rotary embedding, each float [positions, headSize / 2], computed in
 * double precision.
 */
record RotaryTable(int positions, int headSize, double theta) implements Weight {
  static final String COSINE = "cos_cache";
  static final String SINE = "sin_cache";

  @Override
  public List<Initializer> initializers() {
    List<Long> shape = List.of((long) positions, headSize / 2L);
    return List.of(
        new Initializer(COSINE, ElementType.FLOAT, shape),
        new Initializer(SINE, ElementType.FLOAT, shape));
  }

  @Override
  public void read(Checkpoint checkpoint, List<MemorySegment> targets) {
    int half = headSize / 2;
    for (int i = 0; i < half; i++) {
      double frequency = Math.pow(theta, -(double) i / half);
      for (long position = 0; position < positions; position++) {
        double angle = position * frequency;
        long index = position * half + i;
        targets.get(0).setAtIndex(ValueLayout.JAVA_FLOAT, index, (float) Math.cos(angle));
        targets.get(1).setAtIndex(ValueLayout.JAVA_FLOAT, index, (float) Math.sin(angle));
      }
    }
  }
}
