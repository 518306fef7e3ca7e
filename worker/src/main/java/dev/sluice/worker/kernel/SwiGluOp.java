package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.CustomOp;
import dev.sluice.worker.ort.ElementType;
import dev.sluice.worker.ort.KernelContext;
import dev.sluice.worker.ort.KernelInfo;
import java.util.List;

/**
 * {@code sluice.SwiGlu}: silu(gate) * up in one pass, where ONNX needs three operators and twice
 * the memory traffic.
 *
 * <pre>
 *   input    float [T, 2 * F], gate before up
 *   output   float [T, F]
 * </pre>
 */
public final class SwiGluOp implements CustomOp {
  private final int threads;

  /**
   * @param threads of the sessions that use the operator
   */
  public SwiGluOp(int threads) {
    this.threads = threads;
  }

  @Override
  public String name() {
    return "SwiGlu";
  }

  @Override
  public List<Parameter> inputs() {
    return List.of(Parameter.required(ElementType.FLOAT));
  }

  @Override
  public List<Parameter> outputs() {
    return List.of(Parameter.required(ElementType.FLOAT));
  }

  @Override
  public Kernel createKernel(KernelInfo info) {
    return new NodeKernel(new SwiGlu(threads));
  }

  private record NodeKernel(SwiGlu swiGlu) implements Kernel {
    @Override
    public void compute(KernelContext context) {
      int tokens = Math.toIntExact(context.inputDimension(0, 0));
      int width = Math.toIntExact(context.inputDimension(0, 1) / 2);
      long input = context.inputAddress(0);
      long output = context.allocateOutput(0, tokens, width);
      swiGlu.run(input, tokens, width, output, context.parallel());
    }
  }
}
