package dev.sluice.worker.graph;

import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.ort.ElementType;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * One float32 tensor: weights of a checkpoint, one below the other.
 *
 * @param shape of all together; {@code [out, in]} for a matrix
 */
record FloatWeight(String name, List<String> sources, List<Long> shape) implements Weight {
  /**
   * Adds a projection's bias.
   *
   * @return its name, or nothing if there is none
   */
  static String bias(Arithmetic.Projection projection, List<Weight> weights) {
    if (projection.biases().isEmpty()) {
      return "";
    }
    String name = projection.name() + ".bias";
    weights.add(new FloatWeight(name, projection.biases(), List.of(projection.outputs())));
    return name;
  }

  @Override
  public List<Initializer> initializers() {
    return List.of(new Initializer(name, ElementType.FLOAT, shape));
  }

  @Override
  public void read(Checkpoint checkpoint, List<MemorySegment> targets) {
    MemorySegment target = targets.getFirst();
    long offset = 0;
    for (String source : sources) {
      long bytes = Sources.elements(checkpoint, source) * Float.BYTES;
      checkpoint.read(source, target.asSlice(offset, bytes));
      offset += bytes;
    }
    Sources.checkFilled(name, offset, target.byteSize());
  }
}
