package dev.sluice.worker.runner;

import dev.sluice.worker.graph.CudaGraphOptions;
import dev.sluice.worker.ort.OrtAllocator;
import dev.sluice.worker.ort.OrtException;
import dev.sluice.worker.ort.OrtSession;
import dev.sluice.worker.ort.OrtSessionOptions;
import java.util.Map;

/** An NVIDIA GPU. */
record CudaDevice(Device.Cuda device) implements Accelerator {
  @Override
  public void addTo(OrtSessionOptions options) {
    try {
      options.addCuda(
          Map.of(
              "device_id",
              Integer.toString(device.index()),
              // The cache is most of the memory and its size is known: no use in doubling.
              "arena_extend_strategy",
              "kSameAsRequested"));
      // Weights are never given back, so they need no arena either.
      options.set("session.use_device_allocator_for_initializers", "1");
    } catch (OrtException e) {
      throw new DeviceException(
          "device: "
              + device.label()
              + " (expected: a build with CUDA, mvn -Pcuda, on a machine with such a GPU, its"
              + " driver and the CUDA 12 libraries; or cpu): "
              + e.getMessage(),
          e);
    }
  }

  @Override
  public OrtAllocator memory(OrtSession session) {
    return OrtAllocator.of(session, OrtAllocator.CUDA, device.index());
  }

  @Override
  public String attentionDomain() {
    return CudaGraphOptions.MICROSOFT;
  }
}
