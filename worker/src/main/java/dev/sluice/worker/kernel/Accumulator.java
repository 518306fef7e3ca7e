package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.KernelContext;
import jdk.incubator.vector.FloatVector;

/**
 * The product of quantised rows and weights, the first three inputs of the operators that take one:
 * accumulator int32 [T, N], row_scale float [T, 1], output_scale float [N].
 *
 * <p>Threading: bound by the thread that computes, read by all that take part.
 */
final class Accumulator {
  private long sums;
  private long rowScales;
  private long outputScales;
  private int width;

  /** Binds to the operands of a run; {@code width} is N. */
  void bind(KernelContext context, int width) {
    this.sums = context.inputAddress(0);
    this.rowScales = context.inputAddress(1);
    this.outputScales = context.inputAddress(2);
    this.width = width;
  }

  float rowScale(int row) {
    return Lanes.getFloat(rowScales + 4L * row);
  }

  /**
   * A vector of the product.
   *
   * @param column of its first element
   */
  FloatVector load(int row, int column, float rowScale) {
    FloatVector sum = Lanes.loadInts(sums + 4L * ((long) row * width + column));
    return sum.mul(Lanes.load(outputScales + 4L * column)).mul(rowScale);
  }
}
