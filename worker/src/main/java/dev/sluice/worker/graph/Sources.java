package dev.sluice.worker.graph;

import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.ModelFileException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** A checkpoint's weights, and how big they are. */
final class Sources {
  /** Converts one of several weights. */
  @FunctionalInterface
  interface Conversion {
    /**
     * Converts.
     *
     * @param floats the weight, as float32
     * @param elements of it
     * @param done elements of the weights before it
     */
    void convert(MemorySegment floats, long elements, long done);
  }

  private Sources() {}

  /**
   * Reads weights one after the other, so that only one of them is in memory as floats.
   *
   * @return elements of all together
   */
  static long convertEach(Checkpoint checkpoint, List<String> names, Conversion conversion) {
    long done = 0;
    for (String name : names) {
      long elements = elements(checkpoint, name);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment floats = arena.allocate(elements * Float.BYTES, Float.BYTES);
        checkpoint.read(name, floats);
        conversion.convert(floats, elements, done);
      }
      done += elements;
    }
    return done;
  }

  static long elements(Checkpoint checkpoint, String name) {
    long elements = 1;
    for (long dimension : checkpoint.shape(name)) {
      elements = Math.multiplyExact(elements, dimension);
    }
    return elements;
  }

  static void checkFilled(String name, long bytes, long expected) {
    if (bytes != expected) {
      throw new ModelFileException(
          name + ": the model's weights have " + bytes + " bytes (expected: " + expected + ")");
    }
  }
}
