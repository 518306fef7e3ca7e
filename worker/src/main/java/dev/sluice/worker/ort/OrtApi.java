package dev.sluice.worker.ort;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The functions of {@code OrtApi} that make and use sessions and tensors, by their slot in the
 * table; those that kernels call are in {@link OrtKernelApi}, those for GPUs in {@link
 * OrtDeviceApi}. Slots are append-only in ONNX Runtime, so a number once right stays right.
 *
 * <p>Every function turns a status into an {@link OrtException} and releases it. Pointers are
 * {@code long}; an {@code out} parameter is the address of eight bytes that receive the result.
 */
@SuppressWarnings("restricted") // native memory and functions
final class OrtApi {
  /** A pointer or {@code size_t}. */
  static final ValueLayout.OfLong PTR = JAVA_LONG;

  private static final MemorySegment TABLE = OrtLibrary.table();

  private static final MethodHandle CREATE_STATUS = function(0, PTR, JAVA_INT, PTR);
  private static final MethodHandle GET_ERROR_CODE = function(1, JAVA_INT, PTR);
  private static final MethodHandle GET_ERROR_MESSAGE = function(2, PTR, PTR);
  private static final MethodHandle CREATE_ENV = function(3, PTR, JAVA_INT, PTR, PTR);
  private static final MethodHandle CREATE_SESSION_FROM_ARRAY =
      function(8, PTR, PTR, PTR, PTR, PTR, PTR);
  private static final MethodHandle RUN = function(9, PTR, PTR, PTR, PTR, PTR, PTR, PTR, PTR, PTR);
  private static final MethodHandle CREATE_SESSION_OPTIONS = function(10, PTR, PTR);
  private static final MethodHandle SET_EXECUTION_MODE = function(13, PTR, PTR, JAVA_INT);
  private static final MethodHandle DISABLE_MEM_PATTERN = function(17, PTR, PTR);
  private static final MethodHandle SET_LOG_SEVERITY = function(22, PTR, PTR, JAVA_INT);
  private static final MethodHandle SET_OPTIMIZATION_LEVEL = function(23, PTR, PTR, JAVA_INT);
  private static final MethodHandle SET_INTRA_OP_THREADS = function(24, PTR, PTR, JAVA_INT);
  private static final MethodHandle SET_INTER_OP_THREADS = function(25, PTR, PTR, JAVA_INT);
  private static final MethodHandle CREATE_CUSTOM_OP_DOMAIN = function(26, PTR, PTR, PTR);
  private static final MethodHandle CUSTOM_OP_DOMAIN_ADD = function(27, PTR, PTR, PTR);
  private static final MethodHandle ADD_CUSTOM_OP_DOMAIN = function(28, PTR, PTR, PTR);
  private static final MethodHandle CREATE_TENSOR = function(48, PTR, PTR, PTR, PTR, JAVA_INT, PTR);
  private static final MethodHandle CREATE_TENSOR_WITH_DATA =
      function(49, PTR, PTR, PTR, PTR, PTR, PTR, JAVA_INT, PTR);
  private static final MethodHandle GET_TENSOR_DATA = function(51, PTR, PTR, PTR);
  private static final MethodHandle CREATE_CPU_MEMORY_INFO =
      function(69, PTR, JAVA_INT, JAVA_INT, PTR);
  private static final MethodHandle GET_DEFAULT_ALLOCATOR = function(78, PTR, PTR);
  private static final MethodHandle RELEASE_STATUS = release(93);
  private static final MethodHandle ADD_SESSION_CONFIG_ENTRY = function(130, PTR, PTR, PTR, PTR);
  private static final MethodHandle ADD_EXTERNAL_INITIALIZERS =
      function(210, PTR, PTR, PTR, PTR, PTR);

  /** Kinds of native objects, by the slot of the function that releases them. */
  enum Kind {
    ENVIRONMENT(92),
    MEMORY_INFO(94),
    SESSION(95),
    VALUE(96),
    SESSION_OPTIONS(100),
    CUSTOM_OP_DOMAIN(101),
    ALLOCATOR(132),
    CUDA_OPTIONS(208);

    private final MethodHandle handle;

    Kind(int slot) {
      handle = OrtApi.release(slot);
    }

    /** Releases an object; nothing happens for a null pointer. */
    void release(long object) {
      if (object == 0) {
        return;
      }
      try {
        handle.invokeExact(object);
      } catch (Throwable e) {
        throw unexpected(e);
      }
    }
  }

  private OrtApi() {}

  static MethodHandle function(int slot, MemoryLayout result, MemoryLayout... parameters) {
    return bind(slot, FunctionDescriptor.of(result, parameters));
  }

  private static MethodHandle release(int slot) {
    return bind(slot, FunctionDescriptor.ofVoid(PTR));
  }

  private static MethodHandle bind(int slot, FunctionDescriptor descriptor) {
    MemorySegment address = TABLE.getAtIndex(ValueLayout.ADDRESS, slot);
    return Linker.nativeLinker().downcallHandle(address, descriptor);
  }

  /**
   * What {@code invokeExact} declares but a downcall never throws, or what {@link #check} threw.
   */
  static RuntimeException unexpected(Throwable e) {
    if (e instanceof RuntimeException exception) {
      return exception;
    }
    if (e instanceof Error error) {
      throw error;
    }
    return new IllegalStateException(e);
  }

  /** Throws what the status says, if it is not null, and releases it. */
  static void check(long status) {
    if (status != 0) {
      throw toException(status);
    }
  }

  private static OrtException toException(long status) {
    try {
      int code = (int) GET_ERROR_CODE.invokeExact(status);
      long text = (long) GET_ERROR_MESSAGE.invokeExact(status);
      String message = MemorySegment.ofAddress(text).reinterpret(Long.MAX_VALUE).getString(0);
      return new OrtException(OrtException.Code.of(code), message, null);
    } catch (Throwable e) {
      throw unexpected(e);
    } finally {
      releaseStatus(status);
    }
  }

  private static void releaseStatus(long status) {
    try {
      RELEASE_STATUS.invokeExact(status);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** A failed status, for ONNX Runtime to release. */
  static long createStatus(OrtException.Code code, String message) {
    try (Arena arena = Arena.ofConfined()) {
      return (long) CREATE_STATUS.invokeExact(code.number(), arena.allocateFrom(message).address());
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void createEnv(int logSeverity, long logId, long out) {
    try {
      check((long) CREATE_ENV.invokeExact(logSeverity, logId, out));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void createSession(long env, long model, long bytes, long options, long out) {
    try {
      check((long) CREATE_SESSION_FROM_ARRAY.invokeExact(env, model, bytes, options, out));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void run(
      long session,
      long inputNames,
      long inputs,
      long inputCount,
      long outputNames,
      long outputCount,
      long outputs) {
    try {
      check(
          (long)
              RUN.invokeExact(
                  session, 0L, inputNames, inputs, inputCount, outputNames, outputCount, outputs));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void createSessionOptions(long out) {
    try {
      check((long) CREATE_SESSION_OPTIONS.invokeExact(out));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Sequential execution, all graph optimizations, warnings only, no memory pattern. */
  static void setFixedOptions(long options) {
    int sequential = 0;
    int warning = 2;
    int allOptimizations = 99;
    try {
      check((long) SET_EXECUTION_MODE.invokeExact(options, sequential));
      check((long) SET_LOG_SEVERITY.invokeExact(options, warning));
      check((long) SET_OPTIMIZATION_LEVEL.invokeExact(options, allOptimizations));
      // Shapes change with every step, so a pattern learnt from one would never fit the next.
      check((long) DISABLE_MEM_PATTERN.invokeExact(options));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void setThreads(long options, int intraOp) {
    int interOp = 1;
    try {
      check((long) SET_INTRA_OP_THREADS.invokeExact(options, intraOp));
      check((long) SET_INTER_OP_THREADS.invokeExact(options, interOp));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void addSessionConfigEntry(long options, long key, long value) {
    try {
      check((long) ADD_SESSION_CONFIG_ENTRY.invokeExact(options, key, value));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void addExternalInitializers(long options, long names, long values, long count) {
    try {
      check((long) ADD_EXTERNAL_INITIALIZERS.invokeExact(options, names, values, count));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void createCustomOpDomain(long name, long out) {
    try {
      check((long) CREATE_CUSTOM_OP_DOMAIN.invokeExact(name, out));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void addCustomOp(long domain, long op) {
    try {
      check((long) CUSTOM_OP_DOMAIN_ADD.invokeExact(domain, op));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void addCustomOpDomain(long options, long domain) {
    try {
      check((long) ADD_CUSTOM_OP_DOMAIN.invokeExact(options, domain));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void createTensor(long allocator, long shape, long rank, int type, long out) {
    try {
      check((long) CREATE_TENSOR.invokeExact(allocator, shape, rank, type, out));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void createTensorWithData(
      long memoryInfo, long data, long bytes, long shape, long rank, int type, long out) {
    try {
      check(
          (long)
              CREATE_TENSOR_WITH_DATA.invokeExact(memoryInfo, data, bytes, shape, rank, type, out));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void getTensorData(long value, long out) {
    try {
      check((long) GET_TENSOR_DATA.invokeExact(value, out));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void createCpuMemoryInfo(long out) {
    int deviceAllocator = 0;
    int defaultMemory = 0;
    try {
      check((long) CREATE_CPU_MEMORY_INFO.invokeExact(deviceAllocator, defaultMemory, out));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void getDefaultAllocator(long out) {
    try {
      check((long) GET_DEFAULT_ALLOCATOR.invokeExact(out));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }
}
