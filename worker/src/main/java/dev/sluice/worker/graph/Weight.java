package dev.sluice.worker.graph;

import dev.sluice.worker.model.Checkpoint;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Initializers of a graph that are made together from a model's weights. A record: what it prints
 * says all that decides the content, and converted weights are found again by it.
 */
public interface Weight {
  List<Initializer> initializers();

  /**
   * Makes the content.
   *
   * <p>Threading: safe from several threads for different weights.
   *
   * @param targets one for each of {@link #initializers}, of its size
   */
  void read(Checkpoint checkpoint, List<MemorySegment> targets);
}
