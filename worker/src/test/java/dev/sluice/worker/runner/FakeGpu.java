package dev.sluice.worker.runner;

import dev.sluice.worker.graph.CudaCache;
import dev.sluice.worker.graph.HalfType;
import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.ort.CustomOpDomain;
import dev.sluice.worker.ort.OrtAllocator;
import dev.sluice.worker.ort.OrtSession;
import dev.sluice.worker.ort.OrtSessionOptions;
import java.util.List;
import java.util.Optional;

/**
 * A CPU that stands for a GPU: it runs the same graph in float16, with {@link HalfPagedAttention}
 * as the attention. Where ONNX Runtime has no float16 kernel for CPUs it casts to float32 and back.
 */
final class FakeGpu implements Accelerator, AutoCloseable {
  private static final String DOMAIN = "sluice";

  private final CustomOpDomain domain =
      new CustomOpDomain(DOMAIN, List.of(new HalfPagedAttention(HalfType.FLOAT16)));

  CudaModelRunner load(Checkpoint checkpoint, Quantization quantization, long kvBytes) {
    CudaRunnerConfig config =
        new CudaRunnerConfig(
            quantization, HalfType.FLOAT16, CudaCache.HALF, 2, kvBytes, 2048, 512, 32);
    return CudaModelRunner.load(checkpoint, config, "fake", this, Optional.empty());
  }

  @Override
  public void addTo(OrtSessionOptions options) {
    options.add(domain);
  }

  @Override
  public OrtAllocator memory(OrtSession session) {
    return OrtAllocator.of(session, OrtAllocator.CPU, 0);
  }

  @Override
  public String attentionDomain() {
    return DOMAIN;
  }

  @Override
  public void close() {
    domain.close();
  }
}
