package dev.sluice.worker.graph;

import dev.sluice.worker.ort.ElementType;
import java.util.List;

/** A constant tensor of a graph, whose content lies outside of it. */
public record Initializer(String name, ElementType type, List<Long> shape) {
  public Initializer {
    shape = List.copyOf(shape);
  }

  /** Bytes of its content. */
  public long bytes() {
    long elements = 1;
    for (long dimension : shape) {
      elements = Math.multiplyExact(elements, dimension);
    }
    return elements * type.bytes();
  }
}
