package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.CustomOp;
import dev.sluice.worker.ort.KernelContext;

/**
 * An operator whose first two outputs are quantised rows.
 *
 * <p>Threading: see {@link RowsKernel}. Allocates nothing after its first run.
 */
abstract class QuantizingKernel extends RowsKernel implements CustomOp.Kernel {
  private final RowQuantizer[] quantizers; // of each task
  private int width;
  private long quantized;
  private long scales;

  QuantizingKernel(int threads) {
    super(threads);
    this.quantizers = new RowQuantizer[threads];
  }

  /** Allocates the outputs and works on all rows. */
  final void run(KernelContext context, int rows, int rowWidth) {
    prepare(rowWidth);
    quantized = context.allocateOutput(0, rows, rowWidth);
    scales = context.allocateOutput(1, rows, 1);
    run(rows, rowWidth, context.parallel());
  }

  /** A node's rows always have the same width: its quantizers are made by the first run. */
  private void prepare(int rowWidth) {
    if (rowWidth == width) {
      return;
    }
    for (int i = 0; i < quantizers.length; i++) {
      quantizers[i] = new RowQuantizer(rowWidth);
    }
    width = rowWidth;
  }

  final int width() {
    return width;
  }

  @Override
  final void row(int task, int row) {
    RowQuantizer quantizer = quantizers[task];
    fill(quantizer.row(), task, row);
    float scale = quantizer.quantize(quantized + (long) row * width);
    Lanes.setFloat(scales + 4L * row, scale);
  }

  /**
   * Computes a row that is to be quantised.
   *
   * @param target [width]
   */
  abstract void fill(float[] target, int task, int row);
}
