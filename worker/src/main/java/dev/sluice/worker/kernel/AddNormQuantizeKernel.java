package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.KernelContext;
import jdk.incubator.vector.FloatVector;

/** {@code sluice.RescaleAddNormQuantize}, see {@link RowOps}. */
final class AddNormQuantizeKernel extends QuantizingKernel {
  private final RowNorm[] norms; // of each task
  private final Accumulator accumulator = new Accumulator();
  private long residual;
  private long weight;
  private long sum;

  AddNormQuantizeKernel(int threads, float epsilon) {
    super(threads);
    this.norms = RowNorm.each(threads, epsilon);
  }

  @Override
  public void compute(KernelContext context) {
    int rows = rows(context, 0);
    int width = columns(context, 0);
    accumulator.bind(context, width);
    residual = context.inputAddress(3);
    weight = context.inputAddress(4);
    sum = context.allocateOutput(2, rows, width);
    run(context, rows, width);
  }

  @Override
  void fill(float[] target, int task, int row) {
    float scale = accumulator.rowScale(row);
    long offset = 4L * row * target.length;
    for (int i = 0; i < target.length; i += Lanes.WIDTH) {
      long at = offset + 4L * i;
      FloatVector y = accumulator.load(row, i, scale).add(Lanes.load(residual + at));
      Lanes.store(y, sum + at);
      y.intoArray(target, i);
    }
    norms[task].apply(target, weight);
  }
}
