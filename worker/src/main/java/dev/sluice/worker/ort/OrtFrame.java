package dev.sluice.worker.ort;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * The inputs and outputs of runs of one session, kept from run to run so that a run allocates no
 * Java memory. Outputs are allocated by ONNX Runtime and belong to the frame until the next run.
 *
 * <p>Threading: confined to its owner.
 */
public final class OrtFrame implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final OrtSession session;
  private final int inputCount;
  private final int outputCount;
  private final MemorySegment inputNames; // [inputs] char*
  private final MemorySegment inputs; // [inputs] OrtValue*
  private final MemorySegment outputNames; // [outputs] char*
  private final MemorySegment outputs; // [outputs] OrtValue*
  private final MemorySegment out;

  public OrtFrame(OrtSession session, List<String> inputNames, List<String> outputNames) {
    this.session = session;
    this.inputCount = inputNames.size();
    this.outputCount = outputNames.size();
    this.inputNames = names(inputNames);
    this.inputs = arena.allocate(ValueLayout.JAVA_LONG, inputCount);
    this.outputNames = names(outputNames);
    this.outputs = arena.allocate(ValueLayout.JAVA_LONG, outputCount);
    this.out = arena.allocate(ValueLayout.JAVA_LONG, 1);
  }

  private MemorySegment names(List<String> names) {
    MemorySegment pointers = arena.allocate(ValueLayout.JAVA_LONG, names.size());
    for (int i = 0; i < names.size(); i++) {
      pointers.setAtIndex(ValueLayout.JAVA_LONG, i, arena.allocateFrom(names.get(i)).address());
    }
    return pointers;
  }

  /** Sets an input for the runs to come; the tensor must stay open until it is replaced. */
  public void setInput(int index, OrtTensor tensor) {
    inputs.setAtIndex(ValueLayout.JAVA_LONG, index, tensor.handle());
  }

  /**
   * Runs the session; the outputs of the run before become invalid.
   *
   * @throws OrtException if an operator fails
   */
  public void run() {
    releaseOutputs();
    OrtApi.run(
        session.handle(),
        inputNames.address(),
        inputs.address(),
        inputCount,
        outputNames.address(),
        outputCount,
        outputs.address());
  }

  /** The address of an output's elements, valid until the next run. */
  public long outputAddress(int index) {
    long value = outputs.getAtIndex(ValueLayout.JAVA_LONG, index);
    if (value == 0) {
      throw new IllegalStateException("no run has produced output " + index);
    }
    OrtApi.getTensorData(value, out.address());
    return out.get(ValueLayout.JAVA_LONG, 0);
  }

  private void releaseOutputs() {
    for (int i = 0; i < outputCount; i++) {
      OrtApi.Kind.VALUE.release(outputs.getAtIndex(ValueLayout.JAVA_LONG, i));
      outputs.setAtIndex(ValueLayout.JAVA_LONG, i, 0);
    }
  }

  @Override
  public void close() {
    releaseOutputs();
    arena.close();
  }
}
