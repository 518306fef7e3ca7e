package dev.sluice.worker.model;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Where a tensor lies in a safetensors file. Checked: all bytes are inside the file.
 *
 * @param name name in the file
 * @param dtype how the file says that the elements are stored, such as {@code BF16}
 * @param shape outermost dimension first
 * @param offset of the first byte, from the start of the file
 * @param bytes length in the file
 */
record SafetensorsTensor(String name, String dtype, List<Long> shape, long offset, long bytes) {
  private static final List<GgmlType> TYPES = List.of(GgmlType.F32, GgmlType.F16, GgmlType.BF16);

  SafetensorsTensor {
    shape = List.copyOf(shape);
  }

  /** How the elements are stored, if that can be read. */
  Optional<GgmlType> type() {
    return TYPES.stream().filter(type -> type.name().equals(dtype)).findFirst();
  }

  /** Product of the dimensions; opening the file has checked that it fits. */
  long elements() {
    return shape.stream().reduce(1L, Math::multiplyExact);
  }

  /** The types that can be read, for messages. */
  static String supported() {
    return TYPES.stream().map(Enum::name).collect(Collectors.joining(", "));
  }
}
