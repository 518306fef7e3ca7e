package dev.sluice.worker.ort;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One {@code OrtCustomOp}: a version and 25 function pointers, filled with upcall stubs.
 *
 * <pre>
 *     0 version (uint32)              104 variadic input min arity      (null: no variadic
 *     8 CreateKernel (null: V2)       112 variadic input homogeneity     parameters)
 *    16 GetName                       120 variadic output min arity
 *    24 GetExecutionProviderType      128 variadic output homogeneity
 *    32 GetInputType                  136 CreateKernelV2
 *    40 GetInputTypeCount             144 KernelComputeV2
 *    48 GetOutputType                 152 InferOutputShapeFn            (null)
 *    56 GetOutputTypeCount            160 GetStartVersion               (null)
 *    64 KernelCompute (null: V2)      168 GetEndVersion                 (null)
 *    72 KernelDestroy                 176 GetMayInplace                 (null)
 *    80 GetInputCharacteristic        184 ReleaseMayInplace             (null)
 *    88 GetOutputCharacteristic       192 GetAliasMap                   (null)
 *    96 GetInputMemoryType            200 ReleaseAliasMap               (null)
 * </pre>
 *
 * An exception that left an upcall would end the process, so every stub that runs code of an
 * operator catches all and returns a status.
 *
 * <p>Threading: kernels are made and destroyed under the object's lock; {@link #compute} runs on
 * the thread that runs the session.
 */
@SuppressWarnings("restricted") // native memory and functions
final class CustomOpStruct {
  private static final Logger log = LoggerFactory.getLogger(CustomOpStruct.class);
  private static final int BYTES = 208;
  private static final MemoryLayout PTR = JAVA_LONG;
  private static final int REQUIRED = 0;
  private static final int OPTIONAL = 1;
  private static final int DEFAULT_MEMORY = 0;
  private static final long SUCCESS = 0;

  /** A kernel and the context it sees; its id, the index + 1, is its pointer for native code. */
  private record Entry(CustomOp.Kernel kernel, KernelContext context) {}

  private final CustomOp op;
  private final Arena arena;
  private final MemorySegment struct;
  private final MemorySegment name;
  private final List<@Nullable Entry> kernels = new ArrayList<>();

  CustomOpStruct(CustomOp op, Arena arena) {
    this.op = op;
    this.arena = arena;
    this.name = arena.allocateFrom(op.name());
    this.struct = arena.allocate(BYTES, 8);
    struct.set(JAVA_INT, 0, OrtLibrary.API_VERSION);
    stub(16, "name", PTR, PTR);
    stub(24, "executionProvider", PTR, PTR);
    stub(32, "inputType", JAVA_INT, PTR, PTR);
    stub(40, "inputCount", PTR, PTR);
    stub(48, "outputType", JAVA_INT, PTR, PTR);
    stub(56, "outputCount", PTR, PTR);
    struct.set(JAVA_LONG, 72, upcall("destroyKernel", FunctionDescriptor.ofVoid(PTR)).address());
    stub(80, "inputCharacteristic", JAVA_INT, PTR, PTR);
    stub(88, "outputCharacteristic", JAVA_INT, PTR, PTR);
    stub(96, "inputMemoryType", JAVA_INT, PTR, PTR);
    stub(136, "createKernel", PTR, PTR, PTR, PTR, PTR);
    stub(144, "compute", PTR, PTR, PTR);
  }

  long address() {
    return struct.address();
  }

  private void stub(long offset, String method, MemoryLayout result, MemoryLayout... parameters) {
    MemorySegment stub = upcall(method, FunctionDescriptor.of(result, parameters));
    struct.set(JAVA_LONG, offset, stub.address());
  }

  private MemorySegment upcall(String method, FunctionDescriptor descriptor) {
    try {
      return Linker.nativeLinker()
          .upcallStub(
              MethodHandles.lookup()
                  .findVirtual(CustomOpStruct.class, method, descriptor.toMethodType())
                  .bindTo(this),
              descriptor,
              arena);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  // The methods below are called through their stubs.

  long name(long self) {
    return name.address();
  }

  /** Null is the CPU. */
  long executionProvider(long self) {
    return 0;
  }

  int inputType(long self, long index) {
    return op.inputs().get((int) index).type().number();
  }

  long inputCount(long self) {
    return op.inputs().size();
  }

  int outputType(long self, long index) {
    return op.outputs().get((int) index).type().number();
  }

  long outputCount(long self) {
    return op.outputs().size();
  }

  int inputCharacteristic(long self, long index) {
    return op.inputs().get((int) index).optional() ? OPTIONAL : REQUIRED;
  }

  int outputCharacteristic(long self, long index) {
    return op.outputs().get((int) index).optional() ? OPTIONAL : REQUIRED;
  }

  int inputMemoryType(long self, long index) {
    return DEFAULT_MEMORY;
  }

  long createKernel(long self, long api, long info, long out) {
    try {
      CustomOp.Kernel kernel = op.createKernel(new KernelInfo(info));
      synchronized (this) {
        kernels.add(new Entry(kernel, new KernelContext(arena)));
        MemorySegment.ofAddress(out).reinterpret(8).set(JAVA_LONG, 0, kernels.size());
      }
      return SUCCESS;
    } catch (Throwable e) {
      return failed(e);
    }
  }

  long compute(long kernel, long context) {
    try {
      Entry entry = kernels.get((int) kernel - 1);
      if (entry == null) {
        throw new IllegalStateException("kernel " + kernel + " is destroyed");
      }
      entry.context.bind(context);
      entry.kernel.compute(entry.context);
      return SUCCESS;
    } catch (Throwable e) {
      return failed(e);
    }
  }

  void destroyKernel(long kernel) {
    try {
      Entry entry;
      synchronized (this) {
        entry = kernels.set((int) kernel - 1, null);
      }
      if (entry != null) {
        entry.kernel.close();
      }
    } catch (Throwable e) {
      log.error("{}: closing a kernel failed", op.name(), e);
    }
  }

  /** The status carries the message only, so the stack is logged here. */
  private long failed(Throwable e) {
    log.error("{} failed", op.name(), e);
    return OrtApi.createStatus(OrtException.Code.FAIL, op.name() + ": " + e);
  }
}
