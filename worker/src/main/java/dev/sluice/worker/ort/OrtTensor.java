package dev.sluice.worker.ort;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A tensor. Either it has memory of its own, which ONNX Runtime frees when nobody uses it any more,
 * or it is a view of memory whose owner must keep it until the tensor is closed.
 *
 * <p>Threading: confined to its owner.
 */
@SuppressWarnings("restricted") // native memory and functions
public final class OrtTensor implements AutoCloseable {
  private final ElementType type;
  private final MemorySegment data;
  private long handle;

  private OrtTensor(ElementType type, MemorySegment data, long handle) {
    this.type = type;
    this.data = data;
    this.handle = handle;
  }

  /** Allocates a tensor in CPU memory; its content is undefined. */
  public static OrtTensor allocate(OrtEnvironment environment, ElementType type, long... shape) {
    boolean cpu = true;
    return allocate(environment.allocator(), cpu, type, shape);
  }

  /**
   * Allocates a tensor.
   *
   * @param allocator an {@code OrtAllocator}
   * @param cpu whether it allocates memory that Java can read
   */
  static OrtTensor allocate(long allocator, boolean cpu, ElementType type, long... shape) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment dimensions = arena.allocateFrom(ValueLayout.JAVA_LONG, shape);
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG, 1);
      OrtApi.createTensor(
          allocator, dimensions.address(), shape.length, type.number(), out.address());
      long handle = out.get(ValueLayout.JAVA_LONG, 0);
      if (!cpu) {
        return new OrtTensor(type, MemorySegment.NULL, handle);
      }
      OrtApi.getTensorData(handle, out.address());
      MemorySegment data =
          MemorySegment.ofAddress(out.get(ValueLayout.JAVA_LONG, 0))
              .reinterpret(elements(shape) * type.bytes());
      return new OrtTensor(type, data, handle);
    }
  }

  /** Makes a view of memory that somebody else owns. */
  public static OrtTensor of(
      OrtEnvironment environment, ElementType type, MemorySegment memory, long... shape) {
    long bytes = elements(shape) * type.bytes();
    if (bytes > memory.byteSize()) {
      throw new IllegalArgumentException(
          "memory: " + memory.byteSize() + " bytes (expected: at least " + bytes + ")");
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment dimensions = arena.allocateFrom(ValueLayout.JAVA_LONG, shape);
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG, 1);
      OrtApi.createTensorWithData(
          environment.cpuMemory(),
          memory.address(),
          bytes,
          dimensions.address(),
          shape.length,
          type.number(),
          out.address());
      return new OrtTensor(type, memory, out.get(ValueLayout.JAVA_LONG, 0));
    }
  }

  private static long elements(long[] shape) {
    long elements = 1;
    for (long dimension : shape) {
      elements = Math.multiplyExact(elements, dimension);
    }
    return elements;
  }

  public ElementType type() {
    return type;
  }

  /** The elements, row-major; valid until the tensor is closed. Empty if they are on a GPU. */
  public MemorySegment data() {
    return data;
  }

  long handle() {
    if (handle == 0) {
      throw new IllegalStateException("tensor is closed");
    }
    return handle;
  }

  @Override
  public void close() {
    OrtApi.Kind.VALUE.release(handle);
    handle = 0;
  }
}
