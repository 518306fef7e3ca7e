package dev.sluice.worker.ort;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Allocates in the memory of a device that a session runs on. Closed after its tensors and before
 * its session.
 *
 * <p>Threading: confined to its owner.
 */
public final class OrtAllocator implements AutoCloseable {
  /** The memory of an NVIDIA GPU. */
  public static final String CUDA = "Cuda";

  /** The memory of the CPU. */
  public static final String CPU = "Cpu";

  private final boolean cpu;
  private final long handle;

  private OrtAllocator(boolean cpu, long handle) {
    this.cpu = cpu;
    this.handle = handle;
  }

  /**
   * The allocator of a session.
   *
   * @param memory {@link #CUDA} or {@link #CPU}
   * @param device its number
   * @throws OrtException if the session does not run on the device
   */
  public static OrtAllocator of(OrtSession session, String memory, int device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG, 1);
      OrtDeviceApi.createMemoryInfo(arena.allocateFrom(memory).address(), device, out.address());
      long memoryInfo = out.get(ValueLayout.JAVA_LONG, 0);
      try {
        OrtDeviceApi.createAllocator(session.handle(), memoryInfo, out.address());
      } finally {
        OrtApi.Kind.MEMORY_INFO.release(memoryInfo);
      }
      return new OrtAllocator(memory.equals(CPU), out.get(ValueLayout.JAVA_LONG, 0));
    }
  }

  /** Allocates a tensor; its content is undefined. */
  public OrtTensor allocate(ElementType type, long... shape) {
    return OrtTensor.allocate(handle, cpu, type, shape);
  }

  @Override
  public void close() {
    OrtApi.Kind.ALLOCATOR.release(handle);
  }
}
