package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.KernelContext.Parallel;
import dev.sluice.worker.ort.KernelContext.ParallelBody;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The time of attention alone in steps of the default model's sizes, each of its layers with a
 * cache of its own, so that keys and values come from where they would in a step.
 *
 * <p>Prints the least and the median milliseconds of all layers of a step. Not a test; run with the
 * test class path, {@code --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED}.
 */
final class AttentionBench {
  private static final int LAYERS = 30;
  private static final AttentionShape SHAPE =
      new AttentionShape(9, 3, 64, 0.125f, AttentionShape.NO_WINDOW, 1e-6f);
  private static final double MILLIS = 1e6;

  /** A step of sequences that all have the same length. */
  private record Step(String name, int sequences, int past, int tokens) {}

  private static final Step[] STEPS = {
    new Step("decode 1x128", 1, 128, 1),
    new Step("decode 1x2048", 1, 2048, 1),
    new Step("decode 32x192", 32, 192, 1),
    new Step("decode 16x512", 16, 512, 1),
    new Step("prefill 128", 1, 0, 128),
    new Step("prefill 512", 1, 0, 512),
  };

  private AttentionBench() {}

  /**
   * Runs the steps.
   *
   * @param arguments threads, milliseconds for each step
   */
  public static void main(String[] arguments) {
    int threads = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 2;
    long limit = arguments.length > 1 ? Long.parseLong(arguments[1]) : 1500;
    try (Spinners spinners = new Spinners(threads)) {
      for (KvType kvType : KvType.values()) {
        for (int pass = 0; pass < 2; pass++) { // the first warms up
          for (Step step : STEPS) {
            double[] millis = measure(step, kvType, threads, spinners, limit);
            if (pass > 0) {
              System.out.printf(
                  "%-8s %-14s %8.3f ms least, %8.3f median%n",
                  kvType.label(), step.name, millis[0], millis[1]);
            }
          }
        }
      }
    }
  }

  private static double[] measure(
      Step step, KvType kvType, int threads, Parallel parallel, long limit) {
    try (Arena arena = Arena.ofShared()) {
      Random random = new Random(1);
      int length = step.past + step.tokens;
      int width = Math.ceilDiv(length, 16);
      int blocks = step.sequences * width;
      int rows = step.sequences * step.tokens;
      int rowFloats = (SHAPE.heads() + 2 * SHAPE.kvHeads()) * SHAPE.headSize();
      List<KvTensor> tensors = kvType.tensors(SHAPE.kvHeads(), SHAPE.headSize(), 16);
      long[][] caches = new long[LAYERS][4];
      for (int layer = 0; layer < LAYERS; layer++) {
        for (int i = 0; i < tensors.size(); i++) {
          caches[layer][i] = arena.allocate(blocks * tensors.get(i).blockBytes(), 64).address();
        }
      }
      int[] table = new int[blocks];
      int[] past = new int[step.sequences];
      int[] cumulative = new int[step.sequences + 1];
      for (int s = 0; s < step.sequences; s++) {
        past[s] = step.past;
        cumulative[s + 1] = (s + 1) * step.tokens;
        for (int b = 0; b < width; b++) {
          table[s * width + b] = b * step.sequences + s;
        }
      }
      PagedAttention attention = new PagedAttention(SHAPE, kvType, threads);
      AttentionCall call = attention.call();
      call.query = floats(arena, random, rows * rowFloats);
      call.queryStride = 4L * rowFloats;
      call.key = call.query + 4L * SHAPE.heads() * SHAPE.headSize();
      call.value = call.key + 4L * SHAPE.kvHeads() * SHAPE.headSize();
      call.keyValueStride = call.queryStride;
      call.cumulativeLengths = arena.allocateFrom(ValueLayout.JAVA_INT, cumulative).address();
      call.pastLengths = arena.allocateFrom(ValueLayout.JAVA_INT, past).address();
      call.blockTable = arena.allocateFrom(ValueLayout.JAVA_INT, table).address();
      call.tableWidth = width;
      call.sequences = step.sequences;
      call.tokens = rows;
      call.cosine = floats(arena, random, length * SHAPE.headSize() / 2);
      call.sine = floats(arena, random, length * SHAPE.headSize() / 2);
      call.output = arena.allocate(4L * rows * SHAPE.heads() * SHAPE.headSize(), 64).address();

      double[] times = new double[100_000];
      int count = 0;
      long begin = System.nanoTime();
      while (count < 5 || (count < times.length && System.nanoTime() - begin < limit * MILLIS)) {
        long start = nanos(threads);
        for (int layer = 0; layer < LAYERS; layer++) {
          call.keyCache = caches[layer][0];
          call.valueCache = caches[layer][1];
          call.keyScales = caches[layer][2];
          call.valueScales = caches[layer][3];
          attention.run(parallel);
        }
        times[count++] = (nanos(threads) - start) / MILLIS;
      }
      Arrays.sort(times, 0, count);
      return new double[] {times[0], times[count / 2]};
    }
  }

  /** One thread's time on the processor does not depend on what else the machine does. */
  private static long nanos(int threads) {
    return threads == 1
        ? ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime()
        : System.nanoTime();
  }

  private static long floats(Arena arena, Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return arena.allocateFrom(ValueLayout.JAVA_FLOAT, values).address();
  }

  /** Threads that spin for work between two runs, as those of ONNX Runtime do. */
  private static final class Spinners implements Parallel, AutoCloseable {
    private static final int NONE = 1 << 30;

    private final AtomicInteger next = new AtomicInteger(NONE);
    private final AtomicInteger left = new AtomicInteger();
    private final AtomicInteger round = new AtomicInteger();
    private volatile boolean closed;
    private int tasks;
    private @Nullable ParallelBody body;

    Spinners(int threads) {
      for (int i = 1; i < threads; i++) {
        Thread thread = new Thread(this::spin, "spinner-" + i);
        thread.setDaemon(true);
        thread.start();
      }
    }

    @Override
    public void run(int count, ParallelBody tasksBody) {
      if (count == 1) {
        tasksBody.run(0);
        return;
      }
      body = tasksBody;
      tasks = count;
      left.set(count);
      next.set(0);
      round.incrementAndGet();
      work();
      while (left.get() > 0) {
        Thread.onSpinWait();
      }
      next.set(NONE);
    }

    private void spin() {
      int seen = 0;
      while (!closed) {
        int now = round.get();
        if (now == seen) {
          Thread.onSpinWait();
        } else {
          seen = now;
          work();
        }
      }
    }

    private void work() {
      for (int task = next.getAndIncrement(); task < tasks; task = next.getAndIncrement()) {
        if (body != null) {
          body.run(task);
        }
        left.decrementAndGet();
      }
    }

    @Override
    public void close() {
      closed = true;
    }
  }
}
