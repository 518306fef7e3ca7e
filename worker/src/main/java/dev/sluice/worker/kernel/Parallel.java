package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.KernelContext.ParallelBody;

/** Runs tasks on several threads and returns when all are done. */
@FunctionalInterface
interface Parallel {
  void run(int tasks, ParallelBody body);
}
