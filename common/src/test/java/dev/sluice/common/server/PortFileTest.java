package dev.sluice.common.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PortFileTest {
  @TempDir Path directory;

  @Test
  void whatIsWrittenIsRead() throws IOException {
    Path file = directory.resolve("ports");
    assertThat(PortFile.read(file)).isEmpty();
    PortFile.write(file, Map.of("metrics", 9464, "grpc", 9091));
    assertThat(file).hasContent("grpc=9091\nmetrics=9464\n");
    PortFile.write(file, Map.of("grpc", 1));
    assertThat(PortFile.read(file)).contains(Map.of("grpc", 1));
    assertThat(directory).isDirectoryContaining(file::equals);
    try (var files = Files.list(directory)) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void aBrokenFileIsNamed() throws IOException {
    Path file = Files.writeString(directory.resolve("ports"), "grpc\n");
    assertThatIOException()
        .isThrownBy(() -> PortFile.read(file))
        .withMessage(file + ": \"grpc\" (expected: name=port)");
  }

  @Test
  void awaitReturnsWhenTheFileIsThere() throws Exception {
    Path file = directory.resolve("ports");
    AtomicInteger asked = new AtomicInteger();
    var ports =
        PortFile.await(
            file,
            Duration.ofSeconds(20),
            () -> {
              if (asked.incrementAndGet() == 2) {
                write(file);
              }
              return true;
            });
    assertThat(ports).contains(Map.of("grpc", 7));
  }

  @Test
  void awaitGivesUpWhenTheWriterIsGoneOrTheTimeIsOver() throws Exception {
    Path file = directory.resolve("ports");
    assertThat(PortFile.await(file, Duration.ofHours(1), () -> false)).isEmpty();
    assertThat(PortFile.await(file, Duration.ZERO, () -> true)).isEmpty();
  }

  @Test
  void aReaderNeverSeesHalfAFile() throws Exception {
    Path file = directory.resolve("ports");
    write(file);
    CompletableFuture<Void> writer =
        CompletableFuture.runAsync(() -> {
          for (int i = 0; i < 200; i++) {
            write(file);
          }
        });
    do {
      assertThat(PortFile.read(file)).contains(Map.of("grpc", 7));
    } while (!writer.isDone());
    writer.get(10, TimeUnit.SECONDS);
  }

  private static void write(Path file) {
    try {
      PortFile.write(file, Map.of("grpc", 7));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
