package dev.sluice.worker.ort;

import static dev.sluice.worker.ort.OrtApi.PTR;
import static dev.sluice.worker.ort.OrtApi.check;
import static dev.sluice.worker.ort.OrtApi.function;
import static dev.sluice.worker.ort.OrtApi.unexpected;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.invoke.MethodHandle;

/**
 * The functions of {@code OrtApi} for other processors than the CPU and their memory, by slot.
 * Conventions as in {@link OrtApi}.
 */
final class OrtDeviceApi {
  private static final MethodHandle CREATE_MEMORY_INFO =
      function(68, PTR, PTR, JAVA_INT, JAVA_INT, JAVA_INT, PTR);
  private static final MethodHandle CREATE_ALLOCATOR = function(131, PTR, PTR, PTR, PTR);
  private static final MethodHandle APPEND_CUDA = function(204, PTR, PTR, PTR);
  private static final MethodHandle CREATE_CUDA_OPTIONS = function(205, PTR, PTR);
  private static final MethodHandle UPDATE_CUDA_OPTIONS = function(206, PTR, PTR, PTR, PTR, PTR);

  private OrtDeviceApi() {}

  /** Describes the default memory of a device, such as {@code Cuda}. */
  static void createMemoryInfo(long name, int device, long out) {
    int arenaAllocator = 1;
    int defaultMemory = 0;
    try {
      check(
          (long) CREATE_MEMORY_INFO.invokeExact(name, arenaAllocator, device, defaultMemory, out));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void createAllocator(long session, long memoryInfo, long out) {
    try {
      check((long) CREATE_ALLOCATOR.invokeExact(session, memoryInfo, out));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void appendCuda(long sessionOptions, long cudaOptions) {
    try {
      check((long) APPEND_CUDA.invokeExact(sessionOptions, cudaOptions));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void createCudaOptions(long out) {
    try {
      check((long) CREATE_CUDA_OPTIONS.invokeExact(out));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void updateCudaOptions(long cudaOptions, long keys, long values, long count) {
    try {
      check((long) UPDATE_CUDA_OPTIONS.invokeExact(cudaOptions, keys, values, count));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }
}
