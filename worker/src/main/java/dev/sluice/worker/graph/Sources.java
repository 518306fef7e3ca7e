package dev.sluice.worker.graph;

import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.ModelFileException;

/** Sizes of a checkpoint's weights. */
final class Sources {
  private Sources() {}

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
