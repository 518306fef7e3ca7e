package dev.sluice.worker.runner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.worker.graph.CudaCache;
import dev.sluice.worker.graph.HalfType;
import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.Checkpoints;
import dev.sluice.worker.model.TestModel;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The default model on a GPU against an independent implementation in float32. {@code
 * -Dsluice.device=cuda:0} runs it; {@code -Dsluice.device=fake} runs its float16 on a CPU that
 * stands for a GPU, which takes minutes.
 */
@EnabledIfSystemProperty(named = CudaGoldenTest.DEVICE, matches = "cuda:\\d+|fake")
final class CudaGoldenTest {
  static final String DEVICE = "sluice.device";

  private static final String FAKE = "fake";
  private static final long KV_BYTES = 256L << 20;

  /**
   * The tolerances are of agreement with all golden tokens, of a token that leads by more than the
   * gap, and of the perplexity.
   */
  @ParameterizedTest
  @CsvSource({
    "NONE, FLOAT16, HALF, 0.95, 0.5, 0.02",
    "NONE, BFLOAT16, HALF, 0.90, 1.0, 0.03",
    "INT8_BLOCK, FLOAT16, HALF, 0.93, 1.0, 0.03",
    "NONE, FLOAT16, FLOAT8, 0.75, 3.0, 0.15",
  })
  void isNearTheGoldenModel(
      Quantization quantization,
      HalfType type,
      CudaCache cache,
      double agreement,
      double gap,
      double perplexity) {
    boolean fake = FAKE.equals(System.getProperty(DEVICE));
    if (fake && (type != HalfType.FLOAT16 || cache != CudaCache.HALF)) {
      return; // a CPU has no kernels for these
    }
    Golden golden = Golden.load();
    try (FakeGpu gpu = new FakeGpu();
        DeviceRunner runner =
            load(fake ? Optional.of(gpu) : Optional.empty(), quantization, type, cache)) {
      checkTokens(runner, golden, agreement, gap);
      checkPerplexity(runner, golden, perplexity);
    }
  }

  private static DeviceRunner load(
      Optional<FakeGpu> fake, Quantization quantization, HalfType type, CudaCache cache) {
    try (Checkpoint checkpoint = Checkpoints.open(TestModel.path())) {
      if (fake.isPresent()) {
        return fake.get().load(checkpoint, quantization, KV_BYTES);
      }
      CudaRunnerConfig config =
          new CudaRunnerConfig(quantization, type, cache, 1, KV_BYTES, 2048, 512, 32);
      Device device = Device.parse(System.getProperty(DEVICE, ""));
      return switch (device) {
        case Device.Cuda cuda -> CudaModelRunner.load(checkpoint, config, cuda, Optional.empty());
        case Device.Cpu _ -> throw new AssertionError(device);
      };
    }
  }

  private static void checkTokens(
      DeviceRunner runner, Golden golden, double agreement, double gap) {
    int same = 0;
    int all = 0;
    double missed = 0; // by how much the golden token led at most, where another was chosen
    for (Golden.Greedy expected : golden.greedy()) {
      float[][] logits = GoldenRun.forced(runner, expected);
      for (int i = 0; i < logits.length; i++) {
        boolean equal = SequenceDriver.argmax(logits[i]) == expected.tokens()[i];
        missed = Math.max(missed, equal ? 0 : expected.gaps()[i]);
        same += equal ? 1 : 0;
        all++;
      }
    }
    System.out.printf(
        Locale.ROOT,
        "%s %s: %d of %d tokens, missed by %.3f%n",
        runner.device(),
        runner.kvType(),
        same,
        all,
        missed);
    assertThat(missed).as("lead of a golden token that was not chosen").isLessThan(gap);
    assertThat((double) same / all).as("agreement").isGreaterThanOrEqualTo(agreement);
  }

  private static void checkPerplexity(DeviceRunner runner, Golden golden, double tolerance) {
    for (Golden.Text text : golden.texts()) {
      double[] logprobs = GoldenRun.logprobs(runner, text);
      double ratio = Math.exp(-Arrays.stream(logprobs).average().orElseThrow() - text.meanLoss());
      System.out.printf(Locale.ROOT, "  perplexity of %s: x %.4f%n", text.name(), ratio);
      assertThat(ratio).as(text.name()).isBetween(1 - tolerance, 1 + tolerance);
    }
  }
}
