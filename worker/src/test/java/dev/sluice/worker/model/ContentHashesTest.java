package dev.sluice.worker.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.InstantSource;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ContentHashesTest {
  private static final Instant NOW = Instant.parse("2026-02-03T04:05:06Z");
  private static final FileTime LONG_AGO = FileTime.from(NOW.minusSeconds(1000));

  @TempDir private Path directory = Path.of("");

  private Path folder = Path.of("");
  private Path model = Path.of("");
  private int computed;

  @BeforeEach
  void writeModel() throws IOException {
    folder = directory.resolve("hashes");
    model = write(directory.resolve("model.gguf"), "weights", LONG_AGO);
  }

  private static Path write(Path file, String text, FileTime time) throws IOException {
    Files.writeString(file, text);
    return Files.setLastModifiedTime(file, time);
  }

  private String get(Path path) {
    return new ContentHashes(folder, InstantSource.fixed(NOW))
        .get(
            path,
            () -> {
              computed++;
              return "%064d".formatted(computed);
            });
  }

  private String get() {
    return get(model);
  }

  @Test
  void computesOnce() {
    assertThat(get()).isEqualTo(get());
    assertThat(computed).isEqualTo(1);
  }

  @Test
  void computesAgainForAnotherSizeTimeOrFile() throws IOException {
    get();
    write(model, "weighty", LONG_AGO);
    write(model, "longer weights", LONG_AGO);
    get();
    assertThat(computed).isEqualTo(2);
    write(model, "other weights!", FileTime.from(NOW.minusSeconds(999)));
    get();
    assertThat(computed).isEqualTo(3);
    Path other =
        write(directory.resolve("b"), "third weights!", FileTime.from(NOW.minusSeconds(999)));
    Files.move(other, model, StandardCopyOption.REPLACE_EXISTING);
    get();
    assertThat(computed).isEqualTo(4);
  }

  @Test
  void doesNotTrustAFileThatHasJustChanged() throws IOException {
    write(model, "weights", FileTime.from(NOW.minusMillis(500)));
    get();
    get();
    assertThat(computed).isEqualTo(2);
  }

  @Test
  void takesAllFilesOfAFolder() throws IOException {
    Path checkpoint = Files.createDirectory(directory.resolve("checkpoint"));
    write(checkpoint.resolve("a.safetensors"), "a", LONG_AGO);
    get(checkpoint);
    get(checkpoint);
    assertThat(computed).isEqualTo(1);
    write(checkpoint.resolve("b.safetensors"), "b", LONG_AGO);
    get(checkpoint);
    assertThat(computed).isEqualTo(2);
  }

  @Test
  void computesAgainWhenItsNoteIsNotOurs() throws IOException {
    get();
    try (Stream<Path> notes = Files.list(folder)) {
      Files.writeString(notes.findFirst().orElseThrow(), "nonsense\n");
    }
    get();
    assertThat(computed).isEqualTo(2);
  }

  @Test
  void worksWithoutAFolderToWriteTo() throws IOException {
    Files.writeString(folder, "not a folder");
    assertThat(get()).isNotEqualTo(get());
  }
}
