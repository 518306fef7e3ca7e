package dev.sluice.worker.service;

import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.worker.engine.EngineConfig;
import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.KvType;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.Checkpoints;
import dev.sluice.worker.model.TestModel;
import dev.sluice.worker.runner.OrtModelRunner;
import dev.sluice.worker.runner.OrtModelRunnerConfig;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * What {@link ResumeTest} shows on a simulated model, on the default model in its default
 * precision: 500 requests over all features, each cut and resumed twice. Takes some 20 minutes on
 * two cores and is therefore no part of the build; to run it:
 *
 * <pre>
 *   mvn -Pfast -pl worker -am test -Dtest=ResumeCampaign -Dsurefire.failIfNoSpecifiedTests=false
 * </pre>
 */
final class ResumeCampaign {
  private static final int REQUESTS = Integer.getInteger("requests", 500);

  @Test
  void aCutMakesNoDifference() {
    List<Integer> tokens = IntStream.iterate(2, id -> id < 40_000, id -> id + 331).boxed().toList();
    try (Checkpoint checkpoint = Checkpoints.open(TestModel.path());
        WorkerFixture first = worker(checkpoint);
        WorkerFixture second = worker(checkpoint)) {
      Cuts cuts = new Cuts(first, second, 9);
      RandomRequests requests = new RandomRequests(10, tokens, 48);
      for (int i = 0; i < REQUESTS; i++) {
        cuts.verify(requests.next());
      }
      System.out.println(cuts);
    }
  }

  private static WorkerFixture worker(Checkpoint checkpoint) {
    OrtModelRunner runner =
        OrtModelRunner.load(
            checkpoint,
            new OrtModelRunnerConfig(
                Quantization.INT8, KvType.BF16, 2, 64L << 20, 16, 512, 256, 16));
    TokenizerBundle bundle = checkpoint.tokenizer();
    WorkerFixture worker = new WorkerFixture(runner, EngineConfig.defaults(), bundle);
    worker.serve();
    return worker;
  }
}
