package dev.sluice.worker.service;

import dev.sluice.v1.Capabilities;
import dev.sluice.v1.DescribeResponse;
import dev.sluice.v1.Limits;
import dev.sluice.v1.MemoryPlan;
import dev.sluice.v1.Model;
import dev.sluice.v1.WorkerIdentity;
import dev.sluice.v1.WorkerSnapshot;

/**
 * What never changes while a worker runs.
 *
 * @param identity who it is
 * @param capabilities what it can do
 * @param model what it serves
 * @param limits what it accepts
 * @param memory where its memory goes
 * @param device such as {@code cpu}
 * @param quantization such as {@code int8-block}
 * @param runtimeVersion of ONNX Runtime
 */
public record WorkerProfile(
    WorkerIdentity identity,
    Capabilities capabilities,
    Model model,
    Limits limits,
    MemoryPlan memory,
    String device,
    String quantization,
    String runtimeVersion) {
  DescribeResponse.Builder describe() {
    return DescribeResponse.newBuilder()
        .setIdentity(identity)
        .setDevice(device)
        .setModel(model)
        .setQuantization(quantization)
        .setMemory(memory)
        .setLimits(limits)
        .setCapabilities(capabilities)
        .setRuntimeVersion(runtimeVersion);
  }

  WorkerSnapshot.Builder snapshot() {
    return WorkerSnapshot.newBuilder()
        .setIdentity(identity)
        .setCapabilities(capabilities)
        .setModel(model)
        .setLimits(limits);
  }
}
