package dev.sluice.worker.ort;

import static dev.sluice.worker.ort.OrtApi.PTR;
import static dev.sluice.worker.ort.OrtApi.check;
import static dev.sluice.worker.ort.OrtApi.function;
import static dev.sluice.worker.ort.OrtApi.unexpected;

import java.lang.invoke.MethodHandle;

/**
 * The functions of {@code OrtApi} that custom operators call, by slot. Conventions as in {@link
 * OrtApi}; none of these allocates Java memory.
 */
final class OrtKernelApi {
  private static final MethodHandle GET_ATTRIBUTE_FLOAT = function(85, PTR, PTR, PTR, PTR);
  private static final MethodHandle GET_ATTRIBUTE_INT = function(86, PTR, PTR, PTR, PTR);
  private static final MethodHandle GET_INPUT = function(90, PTR, PTR, PTR, PTR);
  private static final MethodHandle GET_OUTPUT = function(91, PTR, PTR, PTR, PTR, PTR, PTR);
  private static final MethodHandle PARALLEL_FOR = function(274, PTR, PTR, PTR, PTR, PTR, PTR);
  private static final MethodHandle GET_SHAPE_REFERENCE = function(414, PTR, PTR, PTR, PTR, PTR);

  private OrtKernelApi() {}

  static void getAttributeFloat(long info, long name, long out) {
    try {
      check((long) GET_ATTRIBUTE_FLOAT.invokeExact(info, name, out));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void getAttributeInt(long info, long name, long out) {
    try {
      check((long) GET_ATTRIBUTE_INT.invokeExact(info, name, out));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void getInput(long context, long index, long out) {
    try {
      check((long) GET_INPUT.invokeExact(context, index, out));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void getOutput(long context, long index, long shape, long rank, long out) {
    try {
      check((long) GET_OUTPUT.invokeExact(context, index, shape, rank, out));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Calls {@code function(userData, i)} for i in 0 to total - 1 on the session's threads. */
  static void parallelFor(long context, long function, long total) {
    long automaticBatches = 0;
    long userData = 0;
    try {
      check((long) PARALLEL_FOR.invokeExact(context, function, total, automaticBatches, userData));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Writes the address of the value's own dimensions: nothing to release. */
  static void getShapeReference(long value, long outType, long outShape, long outRank) {
    try {
      check((long) GET_SHAPE_REFERENCE.invokeExact(value, outType, outShape, outRank));
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }
}
