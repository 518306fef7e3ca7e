package dev.sluice.worker.kernel;

import static dev.sluice.worker.ort.ElementType.FLOAT;
import static dev.sluice.worker.ort.ElementType.INT32;
import static dev.sluice.worker.ort.ElementType.UINT8;

import dev.sluice.worker.ort.CustomOp;
import dev.sluice.worker.ort.CustomOp.Parameter;
import dev.sluice.worker.ort.ElementType;
import dev.sluice.worker.ort.KernelInfo;
import java.util.List;
import java.util.stream.Stream;

/**
 * The operators between two integer products. Rows are quantised by {@link RowQuantizer}; a product
 * of N outputs is {@code accumulator * output_scale * row_scale (+ bias)}. K, N and F are multiples
 * of 64.
 *
 * <pre>
 *   Quantize                 x float [T, K]
 *                            -> rows uint8 [T, K], row_scale float [T, 1]
 *   NormQuantize             x float [T, K], weight float [K]; attribute epsilon
 *                            -> rows uint8 [T, K], row_scale float [T, 1]
 *   Rescale                  accumulator int32 [T, N], row_scale float [T, 1], output_scale float [N],
 *                            bias float [N], optional
 *                            -> y float [T, N]
 *   RescaleAddNormQuantize   accumulator int32 [T, N], row_scale, output_scale, residual float [T, N],
 *                            weight float [N]; attribute epsilon
 *                            -> rows uint8 [T, N], row_scale float [T, 1], sum float [T, N]
 *   RescaleSwiGluQuantize    accumulator int32 [T, 2 * F], gate before up, row_scale, output_scale
 *                            -> rows uint8 [T, F], row_scale float [T, 1]
 * </pre>
 */
public final class RowOps {
  private static final List<Parameter> ROWS = required(UINT8, FLOAT);

  private RowOps() {}

  /**
   * All of them.
   *
   * @param threads of the sessions that use them
   */
  public static List<CustomOp> all(int threads) {
    return List.of(
        new RowOp("Quantize", required(FLOAT), ROWS, info -> new QuantizeKernel(threads)),
        new RowOp(
            "NormQuantize",
            required(FLOAT, FLOAT),
            ROWS,
            info -> new NormQuantizeKernel(threads, epsilon(info))),
        new RowOp(
            "Rescale",
            List.of(
                Parameter.required(INT32),
                Parameter.required(FLOAT),
                Parameter.required(FLOAT),
                Parameter.optional(FLOAT)),
            required(FLOAT),
            info -> new RescaleKernel(threads)),
        new RowOp(
            "RescaleAddNormQuantize",
            required(INT32, FLOAT, FLOAT, FLOAT, FLOAT),
            required(UINT8, FLOAT, FLOAT),
            info -> new AddNormQuantizeKernel(threads, epsilon(info))),
        new RowOp(
            "RescaleSwiGluQuantize",
            required(INT32, FLOAT, FLOAT),
            ROWS,
            info -> new SwiGluQuantizeKernel(threads)));
  }

  private static float epsilon(KernelInfo info) {
    return info.floatAttribute("epsilon");
  }

  private static List<Parameter> required(ElementType... types) {
    return Stream.of(types).map(Parameter::required).toList();
  }
}
