package dev.sluice.worker.graph;

import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.RotaryScaling;
import dev.sluice.worker.ort.ElementType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * Cosines and sines of the rotary embedding, each float [positions, headSize / 2], computed in
 * double precision.
 */
record RotaryTable(int positions, int headSize, double theta, RotaryScaling scaling)
    implements Weight {
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
    fill(targets.get(0), targets.get(1));
  }

  /** Computes both tables. */
  void fill(MemorySegment cosines, MemorySegment sines) {
    int half = headSize / 2;
    double[] frequencies = new RotaryFrequencies(theta, headSize).stretched(scaling);
    double amplitude = RotaryFrequencies.amplitude(scaling);
    for (int i = 0; i < half; i++) {
      for (long position = 0; position < positions; position++) {
        double angle = position * frequencies[i];
        float cosine = (float) (Math.cos(angle) * amplitude);
        float sine = (float) (Math.sin(angle) * amplitude);
        cosines.setAtIndex(ValueLayout.JAVA_FLOAT, position * half + i, cosine);
        sines.setAtIndex(ValueLayout.JAVA_FLOAT, position * half + i, sine);
      }
    }
  }
}
