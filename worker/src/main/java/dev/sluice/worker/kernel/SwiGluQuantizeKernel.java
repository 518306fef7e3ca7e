package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.KernelContext;

/** {@code sluice.RescaleSwiGluQuantize}, see {@link RowOps}. */
final class SwiGluQuantizeKernel extends QuantizingKernel {
  private final Accumulator accumulator = new Accumulator();

  SwiGluQuantizeKernel(int threads) {
    super(threads);
  }

  @Override
  public void compute(KernelContext context) {
    int columns = columns(context, 0);
    accumulator.bind(context, columns);
    run(context, rows(context, 0), columns / 2);
  }

  @Override
  void fill(float[] target, int task, int row) {
    float scale = accumulator.rowScale(row);
    for (int i = 0; i < target.length; i += Lanes.WIDTH) {
      SwiGlu.apply(accumulator.load(row, i, scale), accumulator.load(row, target.length + i, scale))
          .intoArray(target, i);
    }
  }
}
