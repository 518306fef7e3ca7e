package dev.sluice.worker.graph;

import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.ModelFileException;
import dev.sluice.worker.ort.ElementType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** A weight with its float32 tensors rounded to 16 bits; the others stay as they are. */
record HalfWeight(Weight source, HalfType type) implements Weight {
  @Override
  public List<Initializer> initializers() {
    return source.initializers().stream()
        .map(initializer ->
            isFloat(initializer)
                ? new Initializer(initializer.name(), type.elementType(), initializer.shape())
                : initializer)
        .toList();
  }

  private static boolean isFloat(Initializer initializer) {
    return initializer.type() == ElementType.FLOAT;
  }

  @Override
  public void read(Checkpoint checkpoint, List<MemorySegment> targets) {
    List<Initializer> originals = source.initializers();
    try (Arena arena = Arena.ofShared()) {
      List<MemorySegment> read = new ArrayList<>();
      for (int i = 0; i < targets.size(); i++) {
        Initializer original = originals.get(i);
        read.add(
            isFloat(original) ? arena.allocate(original.bytes(), Float.BYTES) : targets.get(i));
      }
      source.read(checkpoint, read);
      for (int i = 0; i < targets.size(); i++) {
        if (isFloat(originals.get(i))) {
          round(originals.get(i).name(), read.get(i), targets.get(i));
        }
      }
    }
  }

  private void round(String name, MemorySegment floats, MemorySegment halves) {
    long elements = floats.byteSize() / Float.BYTES;
    for (long i = 0; i < elements; i++) {
      float value = floats.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      if (Math.abs(value) > type.largest()) {
        throw new ModelFileException(
            "%s: element %d is %s (expected with %s: at most %s)"
                .formatted(name, i, value, type.label(), type.largest()));
      }
      halves.setAtIndex(ValueLayout.JAVA_SHORT, i, type.of(value));
    }
  }
}
