package dev.sluice.worker.ort;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * ONNX Runtime itself: what sessions and tensors are made from. Opened first and closed last.
 * Several may be open; underneath they share one.
 *
 * <p>Threading: immutable; safe from any thread until closed.
 */
public final class OrtEnvironment implements AutoCloseable {
  private static final int LOG_WARNINGS = 2;

  private final long handle;
  private final long cpuMemory;
  private final long allocator;

  private OrtEnvironment(long handle, long cpuMemory, long allocator) {
    this.handle = handle;
    this.cpuMemory = cpuMemory;
    this.allocator = allocator;
  }

  /**
   * Loads the library if this is the first.
   *
   * @throws OrtException if it cannot be loaded
   */
  public static OrtEnvironment open() {
    // First of all, so that a missing library is an OrtException and not a failed class.
    OrtLibrary.table();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG, 1);
      // The allocator of the process: nothing to release.
      OrtApi.getDefaultAllocator(out.address());
      long allocator = out.get(ValueLayout.JAVA_LONG, 0);
      OrtApi.createEnv(LOG_WARNINGS, arena.allocateFrom("sluice").address(), out.address());
      long handle = out.get(ValueLayout.JAVA_LONG, 0);
      try {
        OrtApi.createCpuMemoryInfo(out.address());
      } catch (OrtException e) {
        OrtApi.Kind.ENVIRONMENT.release(handle);
        throw e;
      }
      return new OrtEnvironment(handle, out.get(ValueLayout.JAVA_LONG, 0), allocator);
    }
  }

  /** The library's version, such as {@code 1.29.0}. */
  public static String version() {
    return OrtLibrary.version();
  }

  long handle() {
    return handle;
  }

  /** Describes plain CPU memory. */
  long cpuMemory() {
    return cpuMemory;
  }

  /** The allocator that tensors with memory of their own use. */
  long allocator() {
    return allocator;
  }

  @Override
  public void close() {
    OrtApi.Kind.MEMORY_INFO.release(cpuMemory);
    OrtApi.Kind.ENVIRONMENT.release(handle);
  }
}
