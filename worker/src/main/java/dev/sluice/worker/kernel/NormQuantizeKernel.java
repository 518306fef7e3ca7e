package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.KernelContext;

/** {@code sluice.NormQuantize}, see {@link RowOps}. */
final class NormQuantizeKernel extends QuantizingKernel {
  private final RowNorm[] norms; // of each task
  private long input;
  private long weight;

  NormQuantizeKernel(int threads, float epsilon) {
    super(threads);
    this.norms = RowNorm.each(threads, epsilon);
  }

  @Override
  public void compute(KernelContext context) {
    input = context.inputAddress(0);
    weight = context.inputAddress(1);
    run(context, rows(context, 0), columns(context, 0));
  }

  @Override
  void fill(float[] target, int task, int row) {
    Lanes.copy(input + 4L * row * target.length, target);
    norms[task].apply(target, weight);
  }
}
