package dev.sluice.worker.runner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.KvType;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.Checkpoints;
import dev.sluice.worker.model.TestModel;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;

/** The default model in fewer bits: how near it stays to float32. */
@TestInstance(Lifecycle.PER_CLASS)
abstract class QuantizedModelChecks {
  private final Golden golden = Golden.load();
  private final String name;
  private final double perplexityTolerance;
  private final double leastAgreement;
  private final OrtModelRunner runner;

  /**
   * @param kvType how keys and values are held
   * @param perplexityTolerance how far the perplexity may be from that of float32, as a share
   * @param leastAgreement share of golden tokens that must be the most likely ones
   */
  QuantizedModelChecks(
      Quantization quantization, KvType kvType, double perplexityTolerance, double leastAgreement) {
    this.name = quantization.label() + ", keys and values in " + kvType.label();
    this.perplexityTolerance = perplexityTolerance;
    this.leastAgreement = leastAgreement;
    try (Checkpoint checkpoint = Checkpoints.open(TestModel.path())) {
      this.runner =
          OrtModelRunner.load(
              checkpoint,
              new OrtModelRunnerConfig(quantization, kvType, 2, 128L << 20, 16, 2048, 512, 32));
    }
  }

  @AfterAll
  void close() {
    runner.close();
  }

  @Test
  void perplexityIsNearThatOfFloat32() {
    for (Golden.Text text : golden.texts()) {
      double perplexity = GoldenRun.perplexity(GoldenRun.logprobs(runner, text));

      System.out.printf(
          Locale.ROOT,
          "%s perplexity of %s: %.3f, float32 %.3f%n",
          name,
          text.name(),
          perplexity,
          Math.exp(text.meanLoss()));
      assertThat(perplexity / Math.exp(text.meanLoss()))
          .isBetween(1 - perplexityTolerance, 1 + perplexityTolerance);
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
        Locale.ROOT, "%s agreement: %d of %d, %.3f%n", name, same, all, (double) same / all);
    assertThat((double) same / all).isGreaterThanOrEqualTo(leastAgreement);
  }

  final void checkBitsDoNotDependOnBatchOrChunks() {
    BatchInvariance.check(runner, golden);
  }
}
