package dev.sluice.worker.runner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.KvType;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.Checkpoints;
import dev.sluice.worker.model.TestModel;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The default model in float32 against an independent implementation, and against itself. */
final class FloatModelTest {
  private static final double TIE = 0.02;
  private static final double TOLERANCE = 2e-3;

  private static OrtModelRunner runner;
  private static Golden golden;

  @BeforeAll
  static void load() {
    golden = Golden.load();
    try (Checkpoint checkpoint = Checkpoints.open(TestModel.path())) {
      runner =
          OrtModelRunner.load(
              checkpoint,
              new OrtModelRunnerConfig(
                  Quantization.NONE, KvType.FLOAT32, 2, 128L << 20, 16, 2048, 512, 32));
    }
  }

  @AfterAll
  static void close() {
    runner.close();
  }

  @Test
  void greedyTokensAreTheGoldenOnes() {
    for (Golden.Greedy expected : golden.greedy()) {
      float[][] logits = GoldenRun.forced(runner, expected);
      for (int i = 0; i < logits.length; i++) {
        int best = SequenceDriver.argmax(logits[i]);
        if (expected.gaps()[i] > TIE) {
          assertThat(best).as("%s, token %d", expected.name(), i).isEqualTo(expected.tokens()[i]);
        }
      }
      for (int k = 0; k < expected.firstTokens().length; k++) {
        assertThat(SequenceDriver.logprob(logits[0], expected.firstTokens()[k]))
            .as("%s, first step, token %d", expected.name(), expected.firstTokens()[k])
            .isCloseTo(expected.firstLogprobs()[k], within(TOLERANCE));
      }
    }
  }

  @Test
  void logProbabilitiesOfTextsAreTheGoldenOnes() {
    for (Golden.Text text : golden.texts()) {
      double[] logprobs = GoldenRun.logprobs(runner, text);

      for (int i = 0; i < logprobs.length; i++) {
        assertThat(logprobs[i])
            .as("%s, token %d", text.name(), i + 1)
            .isCloseTo(text.logprobs()[i], within(TOLERANCE));
      }
      assertThat(-Arrays.stream(logprobs).average().orElseThrow())
          .isCloseTo(text.meanLoss(), within(TOLERANCE));
    }
  }

  @Test
  void bitsDoNotDependOnBatchOrChunks() {
    BatchInvariance.check(runner, golden);
  }
}
