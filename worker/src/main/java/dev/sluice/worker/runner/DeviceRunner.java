package dev.sluice.worker.runner;

import dev.sluice.worker.engine.ModelRunner;

/** A model on a device, ready to run, and what can be told of it. */
public interface DeviceRunner extends ModelRunner {
  /** What it takes. */
  MemoryPlan memoryPlan();

  /**
   * Names everything that decides the bits of the results. Equal fingerprints give equal tokens.
   */
  String numericsFingerprint();

  /** The runtime and its version, such as {@code onnxruntime 1.29.0}. */
  String runtimeVersion();

  /** What it runs on, such as {@code cuda:0}. */
  String device();

  /** The type of the KV cache's elements, such as {@code float32}. */
  String kvType();

  /**
   * Runs steps like those that will come until they get no faster, so that the first request is not
   * the slow one. Overwrites the first blocks of the KV cache.
   */
  void warmUp();
}
