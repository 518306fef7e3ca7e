package dev.sluice.worker.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.sluice.common.tokenizer.Tokenizer;
import dev.sluice.common.tokenizer.TokenizerException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * 10,000 damaged files: each is refused with a message that names it, or read; none crashes the
 * process, takes long, or makes it allocate out of proportion to its few kilobytes. More of them by
 * {@code -Dsluice.fuzz.times=20}.
 */
class HostileFilesTest {
  /** A few kilobytes of files, parsed; the buffers of parsers are most of it. */
  private static final long MOST_BYTES = 4 << 20;

  /** Processor time; opening takes less than a thousandth of it. */
  private static final Duration LONGEST = Duration.ofSeconds(1);

  private static final int TIMES = Integer.getInteger("sluice.fuzz.times", 1);

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @TempDir Path folder;

  private int refused;
  private int read;

  /** The first load fetches classes and the tokenizer library. */
  @BeforeAll
  static void warmUp(@TempDir Path sound) {
    try (Checkpoint checkpoint = Checkpoints.open(new TinyFolder().write(sound))) {
      load(checkpoint);
    }
  }

  @Test
  void gguf() throws IOException {
    Path file = folder.resolve("model.gguf");
    byte[] sound = TinyLlama.gguf().toBytes();
    int header = TinyLlama.gguf().header().length;
    Damage damage = new Damage(1);
    for (int i = 0; i < 2500 * TIMES; i++) {
      Files.write(file, damage.binary(sound, header));
      open(file, file);
    }
    assertBothHappened();
  }

  @Test
  void ggufWithSentencePieces() throws IOException {
    Path file = folder.resolve("model.gguf");
    GgufWriter writer =
        TinyLlama.gguf()
            .text("tokenizer.ggml.model", "llama")
            .float32s("tokenizer.ggml.scores", 0, 0, 0, -1, -2, -3, -4, 0, -5, -6)
            .flag("tokenizer.ggml.add_space_prefix", true)
            .text("llama.rope.scaling.type", "yarn")
            .float32("llama.rope.scaling.factor", 4);
    Damage damage = new Damage(2);
    for (int i = 0; i < 1500 * TIMES; i++) {
      Files.write(file, damage.binary(writer.toBytes(), writer.header().length));
      open(file, file);
    }
    assertBothHappened();
  }

  @Test
  void safetensors() throws IOException {
    TinyFolder tiny = new TinyFolder();
    tiny.write(folder);
    Path file = folder.resolve("model.safetensors");
    byte[] sound = Files.readAllBytes(file);
    int header = Long.BYTES + tiny.weights(0, tiny.shapes.size()).header().length();
    Damage damage = new Damage(3);
    for (int i = 0; i < 2000 * TIMES; i++) {
      Files.write(file, damage.binary(sound, header));
      open(folder, folder);
    }
    assertBothHappened();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model.safetensors.index.json",
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "generation_config.json"
      })
  void json(String name) throws IOException {
    TinyFolder tiny = new TinyFolder();
    tiny.generationConfig.putArray("eos_token_id").add(1).add(2);
    tiny.config
        .putObject("rope_scaling")
        .put("rope_type", "llama3")
        .put("factor", 8.0)
        .put("low_freq_factor", 1.0)
        .put("high_freq_factor", 4.0)
        .put("original_max_position_embeddings", 32);
    tiny.writeSharded(folder);
    Path file = folder.resolve(name);
    String sound = Files.readString(file);
    Damage damage = new Damage(name.length());
    for (int i = 0; i < 800 * TIMES; i++) {
      Files.write(file, damage.text(sound));
      open(folder, folder);
    }
    assertBothHappened();
  }

  /** The format says where data end, so no cut goes unnoticed. */
  @Test
  void refusesWhateverIsCutOff() throws IOException {
    Path gguf = folder.resolve("model.gguf");
    byte[] sound = TinyLlama.gguf().toBytes();
    for (int length = 0; length < sound.length; length += 1 + length / 40) {
      Files.write(gguf, Arrays.copyOf(sound, length));
      assertThatThrownBy(() -> Checkpoints.open(gguf))
          .isInstanceOf(ModelFileException.class)
          .hasMessageStartingWith(gguf.toString());
    }
    new TinyFolder().write(folder);
    Path safetensors = folder.resolve("model.safetensors");
    sound = Files.readAllBytes(safetensors);
    for (int length = 0; length < sound.length; length += 1 + length / 40) {
      Files.write(safetensors, Arrays.copyOf(sound, length));
      assertThatThrownBy(() -> Checkpoints.open(folder))
          .isInstanceOf(ModelFileException.class)
          .hasMessageStartingWith(safetensors.toString());
    }
  }

  @Test
  void refusesWhatIsNoFile() throws IOException {
    new TinyFolder().write(folder);
    for (String name : List.of("model.safetensors", "config.json", "tokenizer.json")) {
      Path file = folder.resolve(name);
      byte[] content = Files.readAllBytes(file);
      Files.delete(file);
      Files.createDirectory(file);
      assertThatThrownBy(() -> Checkpoints.open(folder))
          .isInstanceOf(ModelFileException.class)
          .hasMessageStartingWith(file + ": is no regular file (expected: ");
      Files.delete(file);
      Files.write(file, content);
    }
  }

  /** Opens a model and reads all of it; refusing is fine, anything else is not. */
  private void open(Path path, Path named) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    long start = THREADS.getCurrentThreadCpuTime();
    try (Checkpoint checkpoint = Checkpoints.open(path)) {
      try (Arena arena = Arena.ofConfined()) {
        for (String name : checkpoint.names()) {
          long elements = LongStream.of(checkpoint.shape(name)).reduce(1, (a, b) -> a * b);
          MemorySegment weight = arena.allocate(elements * Float.BYTES);
          checkpoint.read(name, weight);
        }
      }
      checkpoint.contentHash();
      load(checkpoint);

      read++;
    } catch (ModelFileException e) {
      assertThat(e).hasMessageStartingWith(named.toString()).hasMessageContaining("expected: ");
      refused++;
    }
    assertThat(THREADS.getCurrentThreadAllocatedBytes() - before).isLessThan(MOST_BYTES);
    assertThat(Duration.ofNanos(THREADS.getCurrentThreadCpuTime() - start)).isLessThan(LONGEST);
  }

  /** The tokenizer library has the last word on a tokenizer. */
  private static void load(Checkpoint checkpoint) {
    try (Tokenizer tokenizer = Tokenizer.load(checkpoint.tokenizer())) {
      tokenizer.decode(tokenizer.encodeRendered("ab c<s>"), true);
    } catch (TokenizerException e) {
      assertThat(e.getMessage()).isNotEmpty();
    }
  }

  /** Otherwise the damage was too much, or none, and nothing was tested. */
  private void assertBothHappened() {
    assertThat(refused).isPositive();
    assertThat(read).isPositive();
  }
}
