package dev.sluice.worker.ort;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import org.jspecify.annotations.Nullable;

/**
 * What a kernel sees of one run: its inputs, its outputs, the session's threads. One object per
 * kernel, bound anew to every run, so that a run allocates nothing.
 *
 * <p>Threading: the thread that computes; bodies of {@link #parallelFor} run on the session's
 * threads and must not use the context.
 */
@SuppressWarnings("restricted") // native memory and functions
public final class KernelContext {
  /** A part of a kernel's work. */
  @FunctionalInterface
  public interface ParallelBody {
    /**
     * Does the part.
     *
     * @param task 0 to tasks - 1; each value once, in no order, perhaps at the same time
     */
    void run(int task);
  }

  /** Runs tasks on several threads and returns when all are done. */
  @FunctionalInterface
  public interface Parallel {
    void run(int tasks, ParallelBody body);
  }

  private final Parallel parallel = this::parallelFor;
  private final MemorySegment out; // value, type, shape, rank
  private final MemorySegment shape;
  private final MemorySegment globalMemory;
  private final long parallelStub;
  private long handle;
  private volatile @Nullable ParallelBody body;
  private volatile @Nullable Throwable failure;

  /**
   * @param arena outlives the session
   */
  KernelContext(Arena arena) {
    this.out = arena.allocate(JAVA_LONG, 4);
    this.shape = arena.allocate(JAVA_LONG, 2);
    this.globalMemory = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    try {
      MethodHandle target =
          MethodHandles.lookup()
              .findVirtual(
                  KernelContext.class,
                  "runTask",
                  MethodType.methodType(void.class, long.class, long.class))
              .bindTo(this);
      this.parallelStub =
          Linker.nativeLinker()
              .upcallStub(target, FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG), arena)
              .address();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  void bind(long handle) {
    this.handle = handle;
  }

  /** Whether an optional input is there. */
  public boolean hasInput(int index) {
    return inputValue(index) != 0;
  }

  /** The address of an input's elements. */
  public long inputAddress(int index) {
    OrtApi.getTensorData(requiredInput(index), out.address());
    return out.get(JAVA_LONG, 0);
  }

  /** One dimension of an input. */
  public long inputDimension(int index, int axis) {
    long value = requiredInput(index);
    long base = out.address();
    OrtKernelApi.getShapeReference(value, base + 8, base + 16, base + 24);
    long rank = out.get(JAVA_LONG, 24);
    if (axis >= rank) {
      throw new IllegalArgumentException(
          "input " + index + " has rank " + rank + " (expected: more than " + axis + ")");
    }
    return globalMemory.get(JAVA_LONG, out.get(JAVA_LONG, 16) + 8L * axis);
  }

  /** Allocates an output of two dimensions; returns the address of its elements. */
  public long allocateOutput(int index, long rows, long columns) {
    shape.setAtIndex(JAVA_LONG, 0, rows);
    shape.setAtIndex(JAVA_LONG, 1, columns);
    OrtKernelApi.getOutput(handle, index, shape.address(), 2, out.address());
    OrtApi.getTensorData(out.get(JAVA_LONG, 0), out.address());
    return out.get(JAVA_LONG, 0);
  }

  /**
   * Runs tasks on the session's threads, this one among them, and returns when all are done. A
   * single task runs here at once.
   *
   * @throws RuntimeException what a task threw, the first of them
   */
  public void parallelFor(int tasks, ParallelBody tasksBody) {
    if (tasks == 1) {
      tasksBody.run(0);
      return;
    }
    body = tasksBody;
    OrtKernelApi.parallelFor(handle, parallelStub, tasks);
    body = null;
    Throwable thrown = failure;
    if (thrown != null) {
      failure = null;
      throw OrtApi.unexpected(thrown);
    }
  }

  /** {@link #parallelFor} as an object that stays the same. */
  public Parallel parallel() {
    return parallel;
  }

  /** Called by native threads: nothing may be thrown out of here, it would end the process. */
  @SuppressWarnings("unused") // through the stub
  private void runTask(long userData, long task) {
    try {
      ParallelBody current = body;
      if (current != null) {
        current.run(Math.toIntExact(task));
      }
    } catch (Throwable e) {
      failure = e;
    }
  }

  private long requiredInput(int index) {
    long value = inputValue(index);
    if (value == 0) {
      throw new IllegalArgumentException("input " + index + " is missing");
    }
    return value;
  }

  private long inputValue(int index) {
    OrtKernelApi.getInput(handle, index, out.address());
    return out.get(JAVA_LONG, 0);
  }
}
