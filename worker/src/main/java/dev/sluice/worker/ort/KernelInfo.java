package dev.sluice.worker.ort;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The attributes of the node that a kernel is made for; valid only while it is made. */
public final class KernelInfo {
  private static final String NO_ATTRIBUTE = "No attribute with name";

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

  /** An integer attribute that a node may leave out. */
  public long intAttribute(String name, long absent) {
    try {
      return intAttribute(name);
    } catch (OrtException e) {
      return orThrow(e, absent);
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

  /** A float attribute that a node may leave out. */
  public float floatAttribute(String name, float absent) {
    try {
      return floatAttribute(name);
    } catch (OrtException e) {
      return orThrow(e, absent);
    }
  }

  /** The C API tells an attribute that is missing from one of another type by its message only. */
  private static <T> T orThrow(OrtException e, T absent) {
    if (String.valueOf(e.getMessage()).contains(NO_ATTRIBUTE)) {
      return absent;
    }
    throw e;
  }
}
