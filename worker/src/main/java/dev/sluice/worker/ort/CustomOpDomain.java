package dev.sluice.worker.ort;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * A domain of operators implemented in Java. ONNX Runtime keeps pointers into it, so it is closed
 * after every session that knows it.
 *
 * <p>Threading: immutable; closing is confined to its owner.
 */
public final class CustomOpDomain implements AutoCloseable {
  private final Arena arena = Arena.ofShared(); // stubs are called from native threads
  private final List<CustomOpStruct> structs = new ArrayList<>();
  private final long handle;

  public CustomOpDomain(String name, List<? extends CustomOp> ops) {
    long created = 0;
    try {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG, 1);
      OrtApi.createCustomOpDomain(arena.allocateFrom(name).address(), out.address());
      created = out.get(ValueLayout.JAVA_LONG, 0);
      for (CustomOp op : ops) {
        CustomOpStruct struct = new CustomOpStruct(op, arena);
        structs.add(struct);
        OrtApi.addCustomOp(created, struct.address());
      }
    } catch (RuntimeException e) {
      OrtApi.Kind.CUSTOM_OP_DOMAIN.release(created);
      arena.close();
      throw e;
    }
    this.handle = created;
  }

  long handle() {
    return handle;
  }

  @Override
  public void close() {
    OrtApi.Kind.CUSTOM_OP_DOMAIN.release(handle);
    arena.close();
  }
}
