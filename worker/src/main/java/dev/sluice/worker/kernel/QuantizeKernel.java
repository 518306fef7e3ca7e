package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.KernelContext;

/** {@code sluice.Quantize}, see {@link RowOps}. */
final class QuantizeKernel extends QuantizingKernel {
  private long input;

  QuantizeKernel(int threads) {
    super(threads);
  }

  @Override
  public void compute(KernelContext context) {
    input = context.inputAddress(0);
    run(context, rows(context, 0), columns(context, 0));
  }

  @Override
  void fill(float[] target, int task, int row) {
    Lanes.copy(input + 4L * row * target.length, target);
  }
}
