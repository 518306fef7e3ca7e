package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.KernelContext;
import dev.sluice.worker.ort.KernelContext.Parallel;
import dev.sluice.worker.ort.KernelContext.ParallelBody;

/**
 * Work on rows that do not depend on each other: splits them over the session's threads.
 *
 * <p>Threading: one run at a time; rows are worked on by the threads of {@link Parallel}.
 */
abstract class RowsKernel {
  /** Below this much work a second thread costs more than it brings. */
  private static final int ELEMENTS_PER_TASK = 4096;

  private final int threads;
  private final ParallelBody body = this::task;
  private int rows;
  private int tasks;

  RowsKernel(int threads) {
    this.threads = threads;
  }

  /**
   * Works on all rows.
   *
   * @param width elements of a row
   */
  final void run(int rows, int width, Parallel parallel) {
    if (rows == 0) {
      return;
    }
    this.rows = rows;
    this.tasks = Math.clamp((long) rows * width / ELEMENTS_PER_TASK, 1, Math.min(threads, rows));
    parallel.run(tasks, body);
  }

  private void task(int task) {
    int end = (int) ((long) rows * (task + 1) / tasks);
    for (int row = (int) ((long) rows * task / tasks); row < end; row++) {
      row(task, row);
    }
  }

  /**
   * Works on one row.
   *
   * @param task 0 to threads - 1; at any time one thread has it
   */
  abstract void row(int task, int row);

  /** An input's first dimension. */
  static int rows(KernelContext context, int input) {
    return Math.toIntExact(context.inputDimension(input, 0));
  }

  /** An input's second dimension. */
  static int columns(KernelContext context, int input) {
    return Math.toIntExact(context.inputDimension(input, 1));
  }
}
