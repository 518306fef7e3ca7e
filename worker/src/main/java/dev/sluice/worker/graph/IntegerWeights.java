package dev.sluice.worker.graph;

import dev.sluice.worker.ort.ElementType;

/**
 * How int8 weights are given to {@code MatMulInteger}. The sums are the same integers either way;
 * which is exact and fast depends on the processor.
 */
public enum IntegerWeights {
  /**
   * int8 as they are. Fastest, but on x86 without VNNI pairs of products are added in 16 bits,
   * where they saturate.
   */
  SIGNED(ElementType.INT8, 0),
  /** uint8 with 128 added, which is multiplied in 16 bits and added in 32. */
  UNSIGNED(ElementType.UINT8, 128);

  private final ElementType type;
  private final int zero;

  IntegerWeights(ElementType type, int zero) {
    this.type = type;
    this.zero = zero;
  }

  /**
   * A model of one product with weights of this form: {@code rows} uint8 [T, inputs] to {@code
   * product} int32 [T, outputs], where the row byte {@value RowWeight#ACTIVATION_ZERO} is 0.
   *
   * @param weights [inputs, outputs], -127 to 127
   */
  public byte[] product(byte[] weights, int inputs, int outputs) {
    return RowArithmetic.product(this, weights, inputs, outputs);
  }

  /** The type of the weights' tensors. */
  public ElementType type() {
    return type;
  }

  /** What stands for the weight 0. */
  public int zero() {
    return zero;
  }
}
