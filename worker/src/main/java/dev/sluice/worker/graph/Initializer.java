package dev.sluice.worker.graph;

import dev.sluice.worker.ort.ElementType;
import java.util.List;

/** A constant tensor of a graph, whose content lies outside of it. */
public record Initializer(String name, ElementType type, List<Long> shape) {
  /** Content begins at a multiple of this: a cache line. */
  public static final long ALIGNMENT = 64;

  public Initializer {
    shape = List.copyOf(shape);
  }

  /**
   * Where an initializer begins in a file, after what ends at {@code end}: at the next boundary of
   * a cache line.
   */
  public static long offsetAfter(long end) {
    return (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
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
