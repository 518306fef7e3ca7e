package dev.sluice.worker.runner;

import dev.sluice.worker.graph.Initializer;
import dev.sluice.worker.graph.Weight;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.ort.OrtEnvironment;
import dev.sluice.worker.ort.OrtTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes the content of a graph's initializers. ONNX Runtime copies what it needs while a session is
 * made, so the memory is given back right after.
 *
 * <p>Threading: confined to its owner; weights are read on the common pool.
 */
final class WeightLoader implements AutoCloseable {
  private static final long CACHE_LINE = 64;

  private final Arena arena = Arena.ofShared();
  private final Map<String, OrtTensor> tensors = new LinkedHashMap<>();

  /**
   * Reads all weights.
   *
   * @throws dev.sluice.worker.model.ModelFileException if one is missing or has another size
   */
  void load(OrtEnvironment environment, Checkpoint checkpoint, List<Weight> weights) {
    List<Runnable> work = new ArrayList<>();
    for (Weight weight : weights) {
      List<MemorySegment> targets = new ArrayList<>();
      for (Initializer initializer : weight.initializers()) {
        MemorySegment memory = arena.allocate(initializer.bytes(), CACHE_LINE);
        long[] shape = initializer.shape().stream().mapToLong(Long::longValue).toArray();
        tensors.put(
            initializer.name(), OrtTensor.of(environment, initializer.type(), memory, shape));
        targets.add(memory);
      }
      work.add(() -> weight.read(checkpoint, targets));
    }
    work.parallelStream().forEach(Runnable::run);
  }

  /** The initializers' content by name. */
  Map<String, OrtTensor> tensors() {
    return tensors;
  }

  @Override
  public void close() {
    tensors.values().forEach(OrtTensor::close);
    arena.close();
  }
}
