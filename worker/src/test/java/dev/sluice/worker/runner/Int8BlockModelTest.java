package dev.sluice.worker.runner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.Checkpoints;
import dev.sluice.worker.model.TestModel;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The default model in 8 bits: how near it stays to float32. */
final class Int8BlockModelTest {
  private static OrtModelRunner runner;
  private static Golden golden;

  @BeforeAll
  static void load() {
    golden = Golden.load();
    try (Checkpoint checkpoint = Checkpoints.open(TestModel.path())) {
      runner =
          OrtModelRunner.load(
              checkpoint,
              new OrtModelRunnerConfig(Quantization.INT8_BLOCK, 2, 128L << 20, 16, 2048, 512, 32));
    }
  }

  @AfterAll
  static void close() {
    runner.close();
  }

  @Test
  void perplexityIsWithinThreePercent() {
    for (Golden.Text text : golden.texts()) {
      double perplexity = GoldenRun.perplexity(GoldenRun.logprobs(runner, text));

      System.out.printf(
          Locale.ROOT,
          "int8-block perplexity of %s: %.3f, float32 %.3f%n",
          text.name(),
          perplexity,
          Math.exp(text.meanLoss()));
      assertThat(perplexity / Math.exp(text.meanLoss())).isBetween(0.97, 1.03);
    }
  }

  @Test
  void mostGreedyTokensAreTheGoldenOnes() {
    int same = 0;
    int all = 0;
    for (Golden.Greedy expected : golden.greedy()) {
      float[][] logits = GoldenRun.forced(runner, expected);
      for (int i = 0; i < logits.length; i++) {
        same += SequenceDriver.argmax(logits[i]) == expected.tokens()[i] ? 1 : 0;
        all++;
      }
    }
    System.out.printf(
        Locale.ROOT, "int8-block agreement: %d of %d, %.3f%n", same, all, (double) same / all);
    assertThat((double) same / all).isGreaterThanOrEqualTo(0.94);
  }

  @Test
  void bitsDoNotDependOnBatchOrChunks() {
    BatchInvariance.check(runner, golden);
  }
}
