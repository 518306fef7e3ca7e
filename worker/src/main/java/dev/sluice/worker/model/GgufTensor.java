package dev.sluice.worker.model;

import java.util.List;

/**
 * Where a tensor lies in a GGUF file. Checked: all bytes are inside the file, rows are whole
 * blocks.
 *
 * @param name name in the file
 * @param type how the elements are stored
 * @param shape outermost dimension first (the reverse of the file's order); 1 to 4 dimensions
 * @param offset of the first byte, from the start of the file
 * @param bytes length in the file
 */
record GgufTensor(String name, GgmlType type, List<Long> shape, long offset, long bytes) {
  GgufTensor {
    shape = List.copyOf(shape);
  }

  /** Elements of one row, the innermost dimension. */
  long columns() {
    return shape.getLast();
  }

  /** Product of the outer dimensions. */
  long rows() {
    return elements() / columns();
  }

  long elements() {
    return bytes / type.blockBytes * type.blockElements;
  }

  long rowBytes() {
    return columns() / type.blockElements * type.blockBytes;
  }
}
