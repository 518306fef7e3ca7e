package dev.sluice.worker.runner;

import dev.sluice.worker.graph.Initializer;
import dev.sluice.worker.graph.Weight;
import java.util.ArrayList;
import java.util.List;

/**
 * Where the content of a graph's initializers is in a file, in the order of the weights and as the
 * graph says it.
 *
 * <p>Threading: immutable.
 */
final class WeightsLayout {
  /**
   * A weight's place.
   *
   * @param offsets one for each of its initializers
   */
  record Place(Weight weight, List<Long> offsets) {
    Place {
      offsets = List.copyOf(offsets);
    }

    /** Bytes of all its initializers. */
    long bytes() {
      return weight.initializers().stream().mapToLong(Initializer::bytes).sum();
    }
  }

  private final List<Place> places = new ArrayList<>();
  private final long bytes;

  WeightsLayout(List<Weight> weights) {
    long end = 0;
    for (Weight weight : weights) {
      List<Long> offsets = new ArrayList<>();
      for (Initializer initializer : weight.initializers()) {
        long offset = Initializer.offsetAfter(end);
        offsets.add(offset);
        end = offset + initializer.bytes();
      }
      places.add(new Place(weight, offsets));
    }
    this.bytes = end;
  }

  List<Place> places() {
    return places;
  }

  /** Bytes of the whole content. */
  long bytes() {
    return bytes;
  }
}
