package dev.sluice.worker.ort;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The attributes of the node that a kernel is made for; valid only while it is made. */
public final class KernelInfo {
  private final long handle;

  KernelInfo(long handle) {
    this.handle = handle;
  }

  /**
   * An integer attribute.
   *
   * @throws OrtException if the node has no such attribute
   */
  public long intAttribute(String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      OrtKernelApi.getAttributeInt(handle, arena.allocateFrom(name).address(), out.address());
      return out.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  /**
   * A float attribute.
   *
   * @throws OrtException if the node has no such attribute
   */
  public float floatAttribute(String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_FLOAT);
      OrtKernelApi.getAttributeFloat(handle, arena.allocateFrom(name).address(), out.address());
      return out.get(ValueLayout.JAVA_FLOAT, 0);
    }
  }
}
