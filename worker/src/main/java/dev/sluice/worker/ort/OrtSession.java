package dev.sluice.worker.ort;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A model ready to run. Closed before the domains of its operators and before the environment.
 *
 * <p>Threading: one run at a time, since the kernels of Sluice's own operators keep scratch memory.
 */
public final class OrtSession implements AutoCloseable {
  private final long handle;

  private OrtSession(long handle) {
    this.handle = handle;
  }

  /**
   * Makes a session.
   *
   * @param model an ONNX {@code ModelProto}, serialized
   * @throws OrtException if the model is not valid
   */
  public static OrtSession create(
      OrtEnvironment environment, byte[] model, OrtSessionOptions options) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_BYTE, model);
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG, 1);
      OrtApi.createSession(
          environment.handle(), bytes.address(), model.length, options.handle(), out.address());
      return new OrtSession(out.get(ValueLayout.JAVA_LONG, 0));
    }
  }

  long handle() {
    return handle;
  }

  @Override
  public void close() {
    OrtApi.Kind.SESSION.release(handle);
  }
}
