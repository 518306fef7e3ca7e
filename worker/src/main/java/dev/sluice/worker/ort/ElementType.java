package dev.sluice.worker.ort;

/** Element types of tensors; the numbers are the same in the C API and in ONNX files. */
public enum ElementType {
  FLOAT(1, 4),
  UINT8(2, 1),
  INT8(3, 1),
  INT32(6, 4),
  INT64(7, 8),
  BFLOAT16(16, 2);

  private final int number;
  private final int bytes;

  ElementType(int number, int bytes) {
    this.number = number;
    this.bytes = bytes;
  }

  /** {@code ONNXTensorElementDataType} and {@code TensorProto.DataType}. */
  public int number() {
    return number;
  }

  /** Bytes of one element. */
  public int bytes() {
    return bytes;
  }
}
