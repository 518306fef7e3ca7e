package dev.sluice.worker.runner;

import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.KvType;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.Checkpoints;
import dev.sluice.worker.model.TestModel;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Optional;

/** The default model, large enough for every way to compute. */
final class CampaignModel {
  private static final int MAX_CONTEXT = 1024;
  private static final int MAX_BATCHED_TOKENS = 2048;
  private static final int MAX_SEQUENCES = 32;
  private static final long KV_BYTES = 384L << 20;

  /**
   * Property with the folder of a cache of weights, for a process that is too slow to make them.
   */
  private static final String WEIGHTS = "campaign.weights";

  private CampaignModel() {}

  /** The option that has a process take its weights from there, or put them there. */
  static String weightsIn(Path folder) {
    return "-D" + WEIGHTS + "=" + folder;
  }

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
              MAX_SEQUENCES),
          Optional.ofNullable(System.getProperty(WEIGHTS))
              .map(folder -> new WeightsCache(Path.of(folder), InstantSource.system())));
    }
  }
}
