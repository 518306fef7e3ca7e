package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.KernelContext.Parallel;
import dev.sluice.worker.ort.KernelContext.ParallelBody;
import jdk.incubator.vector.FloatVector;

/**
 * silu(gate) * up, where silu(x) = x / (1 + e^-x).
 *
 * <p>Threading: one run at a time; its parts run on the threads of {@link Parallel}. Allocates
 * nothing.
 */
final class SwiGlu {
  /** Below this much work a second thread costs more than it brings. */
  private static final int ELEMENTS_PER_TASK = 8192;

  /** e^-x stays finite; silu is 0 in float32 long before. */
  private static final float LARGEST_EXPONENT = 88f;

  private final int threads;
  private final ParallelBody body = this::task;
  private long input;
  private long output;
  private int tokens;
  private int width;
  private int tasks;

  SwiGlu(int threads) {
    this.threads = threads;
  }

  /**
   * @param input float [tokens, 2 * width], gate before up
   * @param width at least a vector
   * @param output float [tokens, width]
   */
  void run(long input, int tokens, int width, long output, Parallel parallel) {
    if (width < Lanes.LOGICAL) {
      throw new IllegalArgumentException(
          "width: " + width + " (expected: " + Lanes.LOGICAL + " or more)");
    }
    this.input = input;
    this.output = output;
    this.tokens = tokens;
    this.width = width;
    this.tasks = Math.clamp((long) tokens * width / ELEMENTS_PER_TASK, 1, threads);
    parallel.run(tasks, body);
  }

  private void task(int task) {
    int from = (int) ((long) tokens * task / tasks);
    int to = (int) ((long) tokens * (task + 1) / tasks);
    for (int token = from; token < to; token++) {
      row(input + 8L * token * width, output + 4L * token * width);
    }
  }

  private void row(long gate, long target) {
    long up = gate + 4L * width;
    for (int i = 0; i < width; i += Lanes.WIDTH) {
      // The last vector may overlap the one before: it gives the same values again.
      long offset = 4L * Math.min(i, width - Lanes.WIDTH);
      Lanes.store(apply(Lanes.load(gate + offset), Lanes.load(up + offset)), target + offset);
    }
  }

  static FloatVector apply(FloatVector gate, FloatVector up) {
    FloatVector e = Lanes.exp(gate.neg().min(LARGEST_EXPONENT));
    return gate.mul(up).div(e.add(1f));
  }
}
