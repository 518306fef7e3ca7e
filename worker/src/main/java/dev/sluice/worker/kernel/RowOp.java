package dev.sluice.worker.kernel;

import dev.sluice.worker.ort.CustomOp;
import dev.sluice.worker.ort.KernelInfo;
import java.util.List;
import java.util.function.Function;

/** An operator whose kernel is made by a function. */
record RowOp(
    String name,
    List<Parameter> inputs,
    List<Parameter> outputs,
    Function<KernelInfo, Kernel> kernels)
    implements CustomOp {
  RowOp {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
  }

  @Override
  public Kernel createKernel(KernelInfo info) {
    return kernels.apply(info);
  }
}
