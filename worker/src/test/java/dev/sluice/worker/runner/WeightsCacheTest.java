package dev.sluice.worker.runner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.KvType;
import dev.sluice.worker.model.ModelFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights that are converted once, on a tiny model. */
final class WeightsCacheTest {
  private static final Instant NOW = Instant.parse("2026-02-03T04:05:06Z");
  private static final int CONTEXT = 4096;

  @TempDir private Path home = Path.of("");

  private final TinyModel model = new TinyModel();
  private final int[] tokens =
      new Random(5).ints(20, 0, TinyModel.CONFIG.vocabularySize()).toArray();

  private WeightsCache cache() {
    return new WeightsCache(home.resolve("weights"), InstantSource.fixed(NOW));
  }

  private float[] logits(Quantization quantization, int context, Optional<WeightsCache> cache) {
    long kvBytes = 40 * 16 * MemoryPlan.kvBytesPerToken(TinyModel.CONFIG, KvType.FLOAT32);
    OrtModelRunnerConfig config =
        new OrtModelRunnerConfig(quantization, KvType.FLOAT32, 2, kvBytes, 16, context, 100, 4);
    try (OrtModelRunner runner = OrtModelRunner.load(model, config, cache)) {
      return new SequenceDriver(runner, 1, tokens.length).begin().add(0, tokens).execute()[0];
    }
  }

  private float[] cached() {
    return logits(Quantization.NONE, CONTEXT, Optional.of(cache()));
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> walk = Files.walk(home)) {
      return walk.filter(file -> file.endsWith("weights") && Files.isRegularFile(file)).toList();
    }
  }

  private Path file() throws IOException {
    assertThat(files()).hasSize(1);
    return files().getFirst();
  }

  @ParameterizedTest
  @EnumSource(names = {"NONE", "INT8_BLOCK"})
  void givesTheSameBitsConvertedKeptAndInMemory(Quantization quantization) throws IOException {
    float[] inMemory = logits(quantization, CONTEXT, Optional.empty());

    assertThat(logits(quantization, CONTEXT, Optional.of(cache()))).isEqualTo(inMemory);
    FileTime made = Files.getLastModifiedTime(file());
    assertThat(logits(quantization, CONTEXT, Optional.of(cache()))).isEqualTo(inMemory);
    assertThat(Files.getLastModifiedTime(file())).isEqualTo(made);
  }

  @Test
  void asksTheCheckpointForNoWeightTwice() {
    float[] first = cached();
    model.remove("model.norm.weight");

    assertThat(cached()).isEqualTo(first);
  }

  @ParameterizedTest
  @ValueSource(strings = {"content", "footer", "longer", "shorter", "empty"})
  void makesADamagedFileAgain(String damage) throws IOException {
    float[] first = cached();
    Path file = file();
    byte[] whole = Files.readAllBytes(file);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      switch (damage) {
        case "content" -> flip(channel, whole, 1234);
        case "footer" -> flip(channel, whole, whole.length - 20);
        case "longer" -> channel.write(ByteBuffer.allocate(1), whole.length);
        case "shorter" -> channel.truncate(whole.length - 1);
        default -> channel.truncate(0);
      }
    }

    assertThat(cached()).isEqualTo(first);
    assertThat(Files.readAllBytes(file())).isEqualTo(whole);
  }

  private static void flip(FileChannel channel, byte[] whole, int at) throws IOException {
    channel.write(ByteBuffer.wrap(new byte[] {(byte) ~whole[at]}), at);
  }

  @Test
  void keepsWhatWorkersOfAnotherContextUse() throws IOException {
    cached();
    logits(Quantization.NONE, 64, Optional.of(cache()));

    assertThat(files()).hasSize(2);
  }

  @Test
  void deletesWhatOtherCodeMadeOfTheModelAndWhatNobodyUsed() throws IOException {
    cached();
    Path mine = file();
    Path otherCode =
        place(mine.resolve("../../0123456789abcdef-0123456789abcdef").normalize(), NOW);
    Path recent = place(home.resolve("weights/other-none/a-b"), NOW.minus(Duration.ofDays(29)));
    Path unused = place(home.resolve("weights/other-none/c-d"), NOW.minus(Duration.ofDays(31)));
    Files.delete(mine);
    Path left = Files.createFile(mine.resolveSibling("weights-77.part"));

    cached();

    assertThat(files()).containsExactlyInAnyOrder(mine, recent.resolve("weights"));
    assertThat(otherCode).doesNotExist();
    assertThat(unused).doesNotExist();
    assertThat(left).doesNotExist();
  }

  private static Path place(Path entry, Instant used) throws IOException {
    Files.createDirectories(entry);
    Files.writeString(entry.resolve("weights"), "x");
    Files.setLastModifiedTime(Files.createFile(entry.resolve("used")), FileTime.from(used));
    return entry;
  }

  @Test
  void loadsWithoutAFolderToWriteTo() throws IOException {
    float[] expected = logits(Quantization.NONE, CONTEXT, Optional.empty());
    Files.writeString(home.resolve("weights"), "not a folder");

    assertThat(cached()).isEqualTo(expected);
  }

  @Test
  void leavesNothingBehindWhenAWeightIsMissing() throws IOException {
    model.remove("model.norm.weight");

    assertThatThrownBy(this::cached).isInstanceOf(ModelFileException.class);

    try (Stream<Path> walk = Files.walk(home)) {
      assertThat(walk.filter(Files::isRegularFile).map(p -> p.getFileName().toString()))
          .containsExactly("lock");
    }
  }

  @Test
  void manyAtOnceMakeItOnce() throws Exception {
    float[] expected = logits(Quantization.NONE, CONTEXT, Optional.empty());
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<float[]>> results =
          threads.invokeAll(Collections.nCopies(4, (Callable<float[]>) this::cached));
      for (Future<float[]> result : results) {
        assertThat(result.get()).isEqualTo(expected);
      }
    }
    assertThat(files()).hasSize(1);
  }
}
