package dev.sluice.worker.runner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.worker.engine.StepBatch;
import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.KvType;
import dev.sluice.worker.model.ModelFileException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The runner on a tiny model of random weights. */
final class OrtModelRunnerTest {
  private static final int BLOCKS = 40;

  private final TinyModel model = new TinyModel();
  private final int[] tokens =
      new Random(4).ints(90, 0, TinyModel.CONFIG.vocabularySize()).toArray();

  private OrtModelRunner load(Quantization quantization, int threads) {
    return load(quantization, KvType.FLOAT32, threads);
  }

  private OrtModelRunner load(Quantization quantization, KvType kvType, int threads) {
    long kvBytes = BLOCKS * 16 * MemoryPlan.kvBytesPerToken(TinyModel.CONFIG, kvType);
    return OrtModelRunner.load(
        model, new OrtModelRunnerConfig(quantization, kvType, threads, kvBytes, 16, 4096, 100, 4));
  }

  @Test
  void agreesWithDoublePrecision() {
    try (OrtModelRunner runner = load(Quantization.NONE, 2)) {
      SequenceDriver driver = new SequenceDriver(runner, 1, tokens.length);
      driver.begin().add(0, Arrays.copyOf(tokens, 70)).execute();

      float[] actual = driver.begin().add(0, Arrays.copyOfRange(tokens, 70, 90)).execute()[0];

      double[] expected = model.logits(tokens);
      for (int i = 0; i < actual.length; i++) {
        assertThat((double) actual[i]).as("token %d", i).isCloseTo(expected[i], within(2e-4));
      }
    }
  }

  @Test
  void eightBitsStayNear() {
    try (OrtModelRunner runner = load(Quantization.INT8_BLOCK, 2)) {
      assertThat(relativeError(runner)).isBetween(1e-4, 0.05);
    }
  }

  @Test
  void keysAndValuesInFewerBitsStayNear() {
    try (OrtModelRunner runner = load(Quantization.NONE, KvType.BF16, 2)) {
      assertThat(relativeError(runner)).isBetween(1e-5, 0.01);
      assertThat(runner.geometry().blocks()).isEqualTo(BLOCKS);
      assertThat(runner.memoryPlan().kvBytesPerToken()).isEqualTo(2 * 2 * (48 + 64) * 2);
    }
    try (OrtModelRunner runner = load(Quantization.NONE, KvType.INT8, 2)) {
      assertThat(relativeError(runner)).isBetween(1e-5, 0.03);
      assertThat(runner.geometry().blocks()).isEqualTo(BLOCKS);
      assertThat(runner.memoryPlan().kvBytesPerToken()).isEqualTo(2 * 2 * 2 * (48 + 4));
    }
  }

  /** The error of the logits of the last token, as a whole, beside double precision. */
  private double relativeError(OrtModelRunner runner) {
    float[] actual =
        new SequenceDriver(runner, 1, tokens.length).begin().add(0, tokens).execute()[0];
    double[] expected = model.logits(tokens);
    double error = 0;
    double size = 0;
    for (int i = 0; i < actual.length; i++) {
      error += Math.pow(actual[i] - expected[i], 2);
      size += Math.pow(expected[i], 2);
    }
    return Math.sqrt(error / size);
  }

  @Test
  void bitsDoNotDependOnTheNumberOfThreads() {
    try (OrtModelRunner one = load(Quantization.NONE, 1);
        OrtModelRunner three = load(Quantization.NONE, 3)) {
      assertThat(new SequenceDriver(three, 1, 90).begin().addAll(0, tokens).execute())
          .isEqualTo(new SequenceDriver(one, 1, 90).begin().addAll(0, tokens).execute());
    }
  }

  @Test
  void warmsUpAndTakesStepsWithoutLogits() {
    try (OrtModelRunner runner = load(Quantization.NONE, 2)) {
      runner.warmUp();
      StepBatch batch = new StepBatch(runner.geometry());
      batch.begin(1);
      batch.addSequence(0, new int[] {3}, 1);
      batch.addToken(1);

      runner.execute(batch);

      assertThatThrownBy(() -> runner.readLogits(0, new float[70]))
          .hasMessage("row: 0 (expected: less than 0, the rows of the latest step)");
    }
  }

  @Test
  void plansMemoryAndContext() {
    try (OrtModelRunner runner = load(Quantization.NONE, 1)) {
      assertThat(runner.geometry().blocks()).isEqualTo(BLOCKS);
      assertThat(runner.geometry().maxContext()).isEqualTo(TinyModel.CONFIG.maxContext());
      assertThat(runner.memoryPlan().kvBytesPerToken()).isEqualTo(2 * 2 * 2 * 48 * 4);
      assertThat(runner.runtimeVersion()).startsWith("onnxruntime 1.");
    }
  }

  @ParameterizedTest
  @EnumSource
  void saysHowItHoldsKeysAndValues(KvType kvType) {
    try (OrtModelRunner runner = load(Quantization.NONE, kvType, 1)) {
      assertThat(runner.kvType()).isEqualTo(kvType.label());
    }
  }

  @Test
  void fingerprintsTellWhatDecidesTheBits() {
    try (OrtModelRunner one = load(Quantization.NONE, 1);
        OrtModelRunner two = load(Quantization.NONE, 2);
        OrtModelRunner quantized = load(Quantization.INT8_BLOCK, 1);
        OrtModelRunner smallCache = load(Quantization.NONE, KvType.BF16, 1)) {
      assertThat(one.numericsFingerprint())
          .matches("[0-9a-f]{32}")
          .isEqualTo(two.numericsFingerprint())
          .isNotEqualTo(quantized.numericsFingerprint())
          .isNotEqualTo(smallCache.numericsFingerprint());
    }
  }

  @Test
  void refusesStepsThatWouldReachOutsideTheCache() {
    try (OrtModelRunner runner = load(Quantization.NONE, 1)) {
      assertThatThrownBy(() -> runner.execute(step(runner, 0, BLOCKS)))
          .hasMessage("block: 40 (expected: 0 to 39)");
      assertThatThrownBy(() -> runner.execute(step(runner, 16, 1)))
          .hasMessageContaining("16 to 17 tokens in 1 blocks");
    }
  }

  private static StepBatch step(OrtModelRunner runner, int past, int block) {
    StepBatch batch = new StepBatch(runner.geometry());
    batch.begin(1);
    batch.addSequence(past, new int[] {block}, 1);
    batch.addToken(1);
    return batch;
  }

  @Test
  void loadsNothingIfAWeightIsMissing() {
    model.remove("model.layers.1.mlp.up_proj.weight");

    assertThatThrownBy(() -> load(Quantization.INT8_BLOCK, 1))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("model.layers.1.mlp.up_proj.weight");
  }

  @Test
  void refusesACacheWithoutABlock() {
    assertThatThrownBy(() ->
            OrtModelRunner.load(
                model,
                new OrtModelRunnerConfig(Quantization.NONE, KvType.FLOAT32, 1, 100, 16, 64, 64, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("kvBytes: 100 (expected: at least a block, 24576)");
  }
}
