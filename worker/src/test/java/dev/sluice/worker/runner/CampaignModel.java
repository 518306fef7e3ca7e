package dev.sluice.worker.runner;

import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.KvType;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.Checkpoints;
import dev.sluice.worker.model.TestModel;

/** The default model, large enough for every way to compute. */
final class CampaignModel {
  private static final int MAX_CONTEXT = 1024;
  private static final int MAX_BATCHED_TOKENS = 2048;
  private static final int MAX_SEQUENCES = 32;
  private static final long KV_BYTES = 384L << 20;

  private CampaignModel() {}

  /** Loads it, cold. */
  static OrtModelRunner load(Quantization quantization) {
    try (Checkpoint checkpoint = Checkpoints.open(TestModel.path())) {
      return OrtModelRunner.load(
          checkpoint,
          new OrtModelRunnerConfig(
              quantization,
              KvType.BF16,
              2,
              KV_BYTES,
              16,
              MAX_CONTEXT,
              MAX_BATCHED_TOKENS,
              MAX_SEQUENCES));
    }
  }
}
