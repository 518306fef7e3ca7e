package dev.sluice.worker.runner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.KvType;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.Checkpoints;
import dev.sluice.worker.model.TestModel;
import java.util.Locale;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The default model with float32 weights: what fewer bits for keys and values alone cost. */
final class KvTypeModelTest {
  private final Golden golden = Golden.load();

  @ParameterizedTest
  @CsvSource({"BF16, 0.01", "INT8, 0.03"})
  void perplexityStaysNear(KvType kvType, double tolerance) {
    try (Checkpoint checkpoint = Checkpoints.open(TestModel.path());
        OrtModelRunner runner =
            OrtModelRunner.load(
                checkpoint,
                new OrtModelRunnerConfig(
                    Quantization.NONE, kvType, 2, 32L << 20, 16, 2048, 512, 32))) {
      for (Golden.Text text : golden.texts()) {
        double perplexity = GoldenRun.perplexity(GoldenRun.logprobs(runner, text));

        System.out.printf(
            Locale.ROOT,
            "kv %s perplexity of %s: %.3f, float32 %.3f%n",
            kvType.label(),
            text.name(),
            perplexity,
            Math.exp(text.meanLoss()));
        assertThat(perplexity / Math.exp(text.meanLoss())).isBetween(1 - tolerance, 1 + tolerance);
      }
    }
  }
}
