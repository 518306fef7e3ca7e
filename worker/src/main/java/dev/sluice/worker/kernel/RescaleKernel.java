package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.CustomOp;
import dev.sluice.worker.ort.KernelContext;
import jdk.incubator.vector.FloatVector;

/** {@code sluice.Rescale}, see {@link RowOps}. */
final class RescaleKernel extends RowsKernel implements CustomOp.Kernel {
  private static final int BIAS = 3;

  private final Accumulator accumulator = new Accumulator();
  private long bias;
  private long output;
  private int width;

  RescaleKernel(int threads) {
    super(threads);
  }

  @Override
  public void compute(KernelContext context) {
    int rows = rows(context, 0);
    width = columns(context, 0);
    accumulator.bind(context, width);
    bias = context.hasInput(BIAS) ? context.inputAddress(BIAS) : 0;
    output = context.allocateOutput(0, rows, width);
    run(rows, width, context.parallel());
  }

  @Override
  void row(int task, int row) {
    float scale = accumulator.rowScale(row);
    long target = output + 4L * row * width;
    for (int i = 0; i < width; i += Lanes.WIDTH) {
      FloatVector y = accumulator.load(row, i, scale);
      if (bias != 0) {
        y = y.add(Lanes.load(bias + 4L * i));
      }
      Lanes.store(y, target + 4L * i);
    }
  }
}
