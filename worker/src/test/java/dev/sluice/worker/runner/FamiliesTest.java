package dev.sluice.worker.runner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.KvType;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.Checkpoints;
import dev.sluice.worker.model.ModelFileException;
import dev.sluice.worker.model.TinyFamily;
import dev.sluice.worker.model.TinyFamily.Storage;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every family, read from both formats, against NumPy: {@code src/test/python/families.py}. The
 * sequence is longer than the window, than a block and than the contexts before stretching.
 */
final class FamiliesTest {
  private static final double TOLERANCE = 2e-4;

  /**
   * Of the logits' own size: two layers of random weights with sharp attention lose 0.02 to 0.05 in
   * 8 bits and 0.2 to 0.3 in 4. Leaving out a bias, a norm, a scaling or the window costs 0.5 to
   * 0.9, a window of one token more 0.24.
   */
  private static final double EIGHT_BIT_ERROR = 0.08;

  private static final double FOUR_BIT_ERROR = 0.4;

  /** Tokens of the first step; the rest follow in a second. */
  private static final int FIRST = 25;

  @TempDir Path scratch;

  /** One model, with what it must compute. */
  private record Case(TinyFamily model, JsonNode expected) {
    float[][] logits() {
      JsonNode rows = expected.get("logits");
      float[][] logits = new float[rows.size()][];
      for (int row = 0; row < logits.length; row++) {
        logits[row] = new float[rows.get(row).size()];
        for (int i = 0; i < logits[row].length; i++) {
          logits[row][i] = (float) rows.get(row).get(i).asDouble();
        }
      }
      return logits;
    }
  }

  static Stream<Arguments> cases() {
    try (InputStream in =
        Objects.requireNonNull(FamiliesTest.class.getResourceAsStream("families.json"))) {
      JsonNode cases = new ObjectMapper().readTree(in);
      return StreamSupport.stream(cases.spliterator(), false)
          .map(expected -> Arguments.of(expected.get("name").asText(), expected));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void agreesWithNumPy(String name, JsonNode expected) throws IOException {
    Case tested = of(expected);
    int shards = tested.model().config().tiedHead() ? 1 : 3;
    Path folder = tested.model().writeFolder(folder("safetensors"), Storage.BF16, shards);
    Path gguf = tested.model().writeGguf(scratch.resolve("model.gguf"), Storage.F16);
    for (Path path : List.of(folder, gguf)) {
      float[][] actual = logits(path, Quantization.NONE, expected);

      float[][] logits = tested.logits();
      for (int row = 0; row < logits.length; row++) {
        for (int i = 0; i < logits[row].length; i++) {
          assertThat((double) actual[row][i])
              .as("%s, %s, row %d, token %d", name, path.getFileName(), row, i)
              .isCloseTo(logits[row][i], within(TOLERANCE));
        }
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void fewerBitsStayNear(String name, JsonNode expected) throws IOException {
    Case tested = of(expected);
    Path gguf = tested.model().writeGguf(scratch.resolve("model.gguf"), Storage.BF16);

    assertError(gguf, Quantization.INT8, EIGHT_BIT_ERROR, tested);
    assertError(gguf, Quantization.INT8_BLOCK, EIGHT_BIT_ERROR, tested);
    assertError(gguf, Quantization.INT4_BLOCK, FOUR_BIT_ERROR, tested);
  }

  private static void assertError(Path path, Quantization quantization, double most, Case tested) {
    assertThat(error(logits(path, quantization, tested.expected()), tested.logits()))
        .as(quantization.label())
        .isBetween(1e-4, most);
  }

  @Test
  void refusesHeadsThatAttentionCannotDo() throws IOException {
    ObjectNode config =
        cases()
            .findFirst()
            .map(first -> (JsonNode) first.get()[1])
            .orElseThrow()
            .get("config")
            .deepCopy();
    Path folder =
        new TinyFamily(config.put("head_dim", 24), List.of(), scratch)
            .writeFolder(folder("odd"), Storage.F32, 1);
    try (Checkpoint checkpoint = Checkpoints.open(folder)) {
      assertThatThrownBy(() ->
              OrtModelRunner.load(checkpoint, OrtModelRunnerConfig.defaults(Quantization.NONE)))
          .isInstanceOf(ModelFileException.class)
          .hasMessage("llama with heads of 24 (expected: a multiple of 16, 32 or more)");
    }
  }

  private Case of(JsonNode expected) throws IOException {
    List<Float> divisors = new ArrayList<>();
    expected.get("divisors").forEach(divisor -> divisors.add((float) divisor.asDouble()));
    return new Case(new TinyFamily(expected.get("config"), divisors, scratch), expected);
  }

  private Path folder(String name) throws IOException {
    return Files.createDirectory(scratch.resolve(name));
  }

  /** Logits of the case's positions. */
  private static float[][] logits(Path path, Quantization quantization, JsonNode expected) {
    int[] tokens = new int[expected.get("tokens").size()];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = expected.get("tokens").get(i).asInt();
    }
    try (Checkpoint checkpoint = Checkpoints.open(path);
        OrtModelRunner runner =
            OrtModelRunner.load(
                checkpoint,
                new OrtModelRunnerConfig(
                    quantization, KvType.FLOAT32, 2, 1 << 20, 16, 256, 64, 1))) {
      SequenceDriver driver = new SequenceDriver(runner, 1, tokens.length);
      int[] second = Arrays.copyOfRange(tokens, FIRST, tokens.length);
      List<float[]> all = new ArrayList<>();
      Collections.addAll(all, driver.begin().addAll(0, Arrays.copyOf(tokens, FIRST)).execute());
      Collections.addAll(all, driver.begin().addAll(0, second).execute());
      float[][] wanted = new float[expected.get("positions").size()][];
      for (int i = 0; i < wanted.length; i++) {
        wanted[i] = all.get(expected.get("positions").get(i).asInt());
      }
      return wanted;
    }
  }

  /** Root of the mean square error, as a part of the logits' own. */
  private static double error(float[][] actual, float[][] expected) {
    double error = 0;
    double size = 0;
    for (int row = 0; row < expected.length; row++) {
      for (int i = 0; i < expected[row].length; i++) {
        error += Math.pow(actual[row][i] - expected[row][i], 2);
        size += Math.pow(expected[row][i], 2);
      }
    }
    return Math.sqrt(error / size);
  }
}
