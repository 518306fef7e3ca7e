package dev.sluice.worker.model;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;

/** A damaged file is refused or read, and nothing else happens. */
class GgufProperties {
  private static final byte[] SOUND = TinyLlama.gguf().toBytes();
  private static final int HEADER_BYTES = TinyLlama.gguf().header().length;

  private static final Path FILE = createFile();

  @AfterContainer
  static void deleteFile() throws IOException {
    Files.delete(FILE);
  }

  @Property(seed = "1", tries = 200)
  void refusesAnyFileThatIsCutOff(@ForAll @IntRange(max = 1 << 20) int at) throws IOException {
    // The last tensor is followed by no padding that could be missed: 8 floats fill 32 bytes.
    Files.write(FILE, Arrays.copyOf(SOUND, at % SOUND.length));
    assertThatThrownBy(() -> Checkpoints.open(FILE)).isInstanceOf(ModelFileException.class);
  }

  @Property(seed = "2", tries = 1000)
  void refusesOrReadsAnyDamagedHeader(
      @ForAll @Size(min = 1, max = 3) int[] places, @ForAll byte damage) throws IOException {
    byte[] content = SOUND.clone();
    for (int place : places) {
      content[Math.floorMod(place, HEADER_BYTES)] ^= damage;
    }
    Files.write(FILE, content);
    try (Checkpoint checkpoint = Checkpoints.open(FILE);
        Arena arena = Arena.ofConfined()) {
      for (String name : checkpoint.names()) {
        long elements = LongStream.of(checkpoint.shape(name)).reduce(1, (a, b) -> a * b);
        checkpoint.read(name, arena.allocate(elements * Float.BYTES));
      }
    } catch (ModelFileException refused) {
      // as it should
    }
  }

  private static Path createFile() {
    try {
      return Files.createTempFile("damaged", ".gguf");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
