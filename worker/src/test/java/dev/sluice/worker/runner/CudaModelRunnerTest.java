package dev.sluice.worker.runner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.worker.graph.CudaCache;
import dev.sluice.worker.graph.HalfType;
import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.KvType;
import dev.sluice.worker.model.ModelConfig;
import dev.sluice.worker.model.RotaryScaling;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The runner for GPUs on a CPU that stands for one. */
final class CudaModelRunnerTest {
  private static final int CONTEXT = 600;

  private final FakeGpu gpu = new FakeGpu();
  private final int[] tokens = new Random(4).ints(300, 0, 96).toArray();

  @AfterEach
  void close() {
    gpu.close();
  }

  /** Families differ in these; blocks hold 256, 128 and 64 tokens. */
  static Stream<ModelConfig> families() {
    return Stream.of(
        config("llama", 64, false, false, false, 0),
        config("smollm2", 96, true, false, false, 0),
        config("qwen2", 128, true, true, false, 0),
        config("qwen3", 128, true, false, true, 0),
        config("mistral", 160, false, false, false, 40));
  }

  private static ModelConfig config(
      String name, int headSize, boolean tied, boolean bias, boolean norm, int window) {
    return new ModelConfig(
        name,
        2,
        128,
        192,
        4,
        2,
        headSize,
        96,
        CONTEXT,
        1e-5f,
        10_000,
        new RotaryScaling.None(),
        tied,
        bias,
        norm,
        window);
  }

  /**
   * Against the runner for CPUs, over the end of a block. What is allowed is much for float16, but
   * ONNX Runtime's kernel for CPUs also adds products in float16, which that for GPUs does not.
   */
  @ParameterizedTest
  @MethodSource("families")
  void agreesWithTheCpu(ModelConfig config) {
    RandomCheckpoint checkpoint = new RandomCheckpoint(config);
    try (CudaModelRunner half = gpu.load(checkpoint, Quantization.NONE, 64 << 20);
        OrtModelRunner reference =
            OrtModelRunner.load(
                checkpoint,
                new OrtModelRunnerConfig(
                    Quantization.NONE, KvType.FLOAT32, 2, 64 << 20, 16, CONTEXT, 512, 32))) {
      assertThat(half.geometry().blockSize()).isEqualTo(CudaCache.blockSize(config.headSize()));

      float[][] expected = logits(reference, half.geometry().blockSize());
      float[][] actual = logits(half, half.geometry().blockSize());

      for (int row = 0; row < expected.length; row++) {
        assertThat(distance(actual[row], expected[row])).as("row %d", row).isLessThan(0.03);
      }
    }
  }

  @Test
  void blocksOf8BitsStayNear() {
    RandomCheckpoint checkpoint = new RandomCheckpoint(config("llama", 64, true, true, true, 0));
    try (CudaModelRunner half = gpu.load(checkpoint, Quantization.INT8_BLOCK, 64 << 20);
        OrtModelRunner reference =
            OrtModelRunner.load(
                checkpoint,
                new OrtModelRunnerConfig(
                    Quantization.NONE, KvType.FLOAT32, 2, 64 << 20, 16, CONTEXT, 512, 32))) {
      float[][] expected = logits(reference, 60);
      float[][] actual = logits(half, 60);

      assertThat(distance(actual[2], expected[2])).isBetween(1e-4, 0.05);
    }
  }

  /**
   * Two sequences, prefilled in two steps, one of them beyond {@code block} tokens, and continued
   * by a token each.
   */
  private float[][] logits(DeviceRunner runner, int block) {
    int length = block + 10;
    SequenceDriver driver = new SequenceDriver(runner, 2, length + 1);
    driver.begin().add(0, Arrays.copyOf(tokens, 50)).execute();
    float[][] mixed =
        driver
            .begin()
            .add(0, Arrays.copyOfRange(tokens, 50, length))
            .add(1, Arrays.copyOfRange(tokens, 10, 30))
            .execute();
    float[][] decoded = driver.begin().add(0, tokens[length]).add(1, tokens[30]).execute();
    return new float[][] {mixed[0], mixed[1], decoded[0], decoded[1]};
  }

  /** Relative to the size of what is expected. */
  private static double distance(float[] actual, float[] expected) {
    double error = 0;
    double size = 0;
    for (int i = 0; i < actual.length; i++) {
      error += Math.pow(actual[i] - expected[i], 2);
      size += Math.pow(expected[i], 2);
    }
    return Math.sqrt(error / size);
  }

  @Test
  void tellsWhatItIsAndTakes() {
    RandomCheckpoint checkpoint = new RandomCheckpoint(config("llama", 64, true, false, false, 0));
    try (CudaModelRunner one = gpu.load(checkpoint, Quantization.NONE, (3 << 20) + 5);
        CudaModelRunner two = gpu.load(checkpoint, Quantization.NONE, 1 << 20)) {
      assertThat(one.memoryPlan().kvBytesPerToken()).isEqualTo(2 * 2 * 2 * 64 * 2);
      assertThat(one.memoryPlan().kvBytes()).isEqualTo(3 << 20);
      assertThat(one.geometry().blocks()).isEqualTo((3 << 20) / (256 * 1024));
      assertThat(one.device()).isEqualTo("fake");
      assertThat(one.kvType()).isEqualTo("float16");
      // Nothing promises that two GPUs, or two processes, compute the same bits.
      assertThat(one.numericsFingerprint())
          .matches("[0-9a-f]{32}")
          .isNotEqualTo(two.numericsFingerprint());
    }
  }

  @Test
  void refusesACacheWithoutABlock() {
    RandomCheckpoint checkpoint = new RandomCheckpoint(config("llama", 64, true, false, false, 0));
    assertThatThrownBy(() -> gpu.load(checkpoint, Quantization.NONE, 1000))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("kvBytes: 1000 (expected: at least a block, 262144)");
  }

  @Test
  void saysWhatIsMissingWhereThereIsNoGpu() {
    RandomCheckpoint checkpoint = new RandomCheckpoint(config("llama", 64, true, false, false, 0));
    CudaRunnerConfig config =
        new CudaRunnerConfig(
            Quantization.NONE, HalfType.FLOAT16, CudaCache.HALF, 1, 1 << 20, 600, 64, 4);
    Device.Cuda ninth = new Device.Cuda(9);
    for (var attempt :
        List.<org.assertj.core.api.ThrowableAssert.ThrowingCallable>of(
            () -> CudaModelRunner.check(ninth),
            () -> CudaModelRunner.load(checkpoint, config, ninth, Optional.empty()).close())) {
      assertThatThrownBy(attempt)
          .isInstanceOf(DeviceException.class)
          .hasMessageStartingWith("device: cuda:9 (expected: a build with CUDA, mvn -Pcuda, on a");
    }
  }

  @Test
  void devicesHaveNames() {
    assertThat(Device.parse("cpu")).isEqualTo(new Device.Cpu());
    assertThat(Device.parse("cuda:12")).isEqualTo(new Device.Cuda(12));
    assertThat(Device.parse("cuda:12").label()).isEqualTo("cuda:12");
    for (String wrong : List.of("", "gpu", "cuda", "cuda:", "cuda:-1", "CPU", "cuda:1234")) {
      assertThatThrownBy(() -> Device.parse(wrong))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "device: \"" + wrong + "\" (expected: cpu, or cuda:N with the number of a GPU)");
    }
  }
}
