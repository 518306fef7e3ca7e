package dev.sluice.worker.runner;

import dev.sluice.worker.ort.ElementType;
import dev.sluice.worker.ort.OrtEnvironment;
import dev.sluice.worker.ort.OrtFrame;
import dev.sluice.worker.ort.OrtTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * An int32 input of a session: native memory of the largest size, and a tensor over the part that a
 * step uses. The tensor is made anew only when the shape changes.
 *
 * <p>Threading: engine thread.
 */
final class IntInput implements AutoCloseable {
  private final OrtEnvironment environment;
  private final OrtFrame frame;
  private final int index;
  private final MemorySegment memory;
  private @Nullable OrtTensor tensor;
  private int rows;
  private int columns;

  /**
   * @param index of the input in the frame
   * @param capacity most elements
   */
  IntInput(OrtEnvironment environment, OrtFrame frame, int index, int capacity, Arena arena) {
    this.environment = environment;
    this.frame = frame;
    this.index = index;
    this.memory = arena.allocate(ValueLayout.JAVA_INT, capacity);
  }

  /** Sets the content, a vector. */
  void setVector(int[] source, int length) {
    MemorySegment.copy(source, 0, memory, ValueLayout.JAVA_INT, 0, length);
    if (tensor == null || rows != length) {
      rows = length;
      replace(OrtTensor.of(environment, ElementType.INT32, memory, length));
    }
  }

  /** Sets the content, a matrix. */
  void setMatrix(int[] source, int newRows, int newColumns) {
    MemorySegment.copy(source, 0, memory, ValueLayout.JAVA_INT, 0, newRows * newColumns);
    if (tensor == null || rows != newRows || columns != newColumns) {
      rows = newRows;
      columns = newColumns;
      replace(OrtTensor.of(environment, ElementType.INT32, memory, newRows, newColumns));
    }
  }

  private void replace(OrtTensor replacement) {
    close();
    tensor = replacement;
    frame.setInput(index, replacement);
  }

  @Override
  public void close() {
    if (tensor != null) {
      tensor.close();
      tensor = null;
    }
  }
}
