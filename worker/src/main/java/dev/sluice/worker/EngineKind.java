package dev.sluice.worker;

/** Who computes. */
public enum EngineKind {
  /** This process, with ONNX Runtime. */
  ONNX,
  /** A Triton Inference Server that this process stands before. */
  TRITON
}
