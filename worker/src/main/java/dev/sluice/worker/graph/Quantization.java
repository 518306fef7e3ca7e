package dev.sluice.worker.graph;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** How a model's matrices are held and multiplied. */
public enum Quantization {
  /** float32 weights and arithmetic: the reference. */
  NONE,
  /**
   * int8 weights with a float32 scale for every output, activations quantised row by row ({@code
   * MatMulInteger}): the fastest, and exact whatever the batch.
   */
  INT8,
  /**
   * int8 weights with a float32 scale for every 32 of a row ({@code MatMulNBits}); activations are
   * quantised alike inside the operator.
   */
  INT8_BLOCK,
  /**
   * The same with 4 bits and a zero for every 32; embedding and head keep 8 bits. The smallest, and
   * the least accurate.
   */
  INT4_BLOCK;

  /** The names on the command line, for messages. */
  public static String labels() {
    return Arrays.stream(values()).map(Quantization::label).collect(Collectors.joining(", "));
  }

  /** The name on the command line, such as {@code int8-block}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
