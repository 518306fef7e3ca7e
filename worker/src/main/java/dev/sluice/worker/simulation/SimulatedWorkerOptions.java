package dev.sluice.worker.simulation;

import dev.sluice.worker.engine.ModelRunner.Geometry;
import java.time.Duration;

/**
 * What each worker of a {@link SimulatedFleet} is like.
 *
 * @param model name of the model that it says it serves
 * @param geometry sizes; the vocabulary is {@link ByteTokenizer#SIZE}
 * @param cost how long a step takes
 * @param maxWaitingRequests requests that wait at most; further ones are refused
 * @param prefixCache whether what was computed for a request is kept for others
 * @param stopGrace time that running requests have when it stops
 */
public record SimulatedWorkerOptions(
    String model,
    Geometry geometry,
    CostModel cost,
    int maxWaitingRequests,
    boolean prefixCache,
    Duration stopGrace) {
  public SimulatedWorkerOptions {
    if (geometry.vocabularySize() != ByteTokenizer.SIZE) {
      throw new IllegalArgumentException(
          "vocabularySize: "
              + geometry.vocabularySize()
              + " (expected: "
              + ByteTokenizer.SIZE
              + ")");
    }
  }
}
