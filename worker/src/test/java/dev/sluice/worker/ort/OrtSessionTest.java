package dev.sluice.worker.ort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The binding against the real library: what fails must say why, and nothing may end the process.
 */
final class OrtSessionTest {
  @Test
  void reportsItsVersion() {
    try (OrtEnvironment environment = OrtEnvironment.open()) {
      assertThat(environment.cpuMemory()).isNotZero();
      assertThat(OrtEnvironment.version()).matches("1\\.\\d+\\.\\d+");
    }
  }

  @Test
  void refusesBytesThatAreNoModel() {
    try (OrtEnvironment environment = OrtEnvironment.open();
        OrtSessionOptions options = OrtSessionOptions.create(1)) {
      byte[] model = "no model".getBytes(StandardCharsets.UTF_8);

      assertThatThrownBy(() -> OrtSession.create(environment, model, options))
          .isInstanceOfSatisfying(
              OrtException.class,
              e -> assertThat(e.code()).isEqualTo(OrtException.Code.INVALID_PROTOBUF));
    }
  }

  @Test
  void refusesViewsOfTooLittleMemory() {
    try (OrtEnvironment environment = OrtEnvironment.open();
        OrtTensor tensor = OrtTensor.allocate(environment, ElementType.FLOAT, 2, 3)) {
      assertThatThrownBy(() -> OrtTensor.of(environment, ElementType.FLOAT, tensor.data(), 7))
          .hasMessage("memory: 24 bytes (expected: at least 28)");
    }
  }

  /** Telemetry, were it on, would match a regular expression that overflows the stack. */
  @Test
  void survivesLongCommandLines() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                OpenEnvironment.class.getName(),
                "x".repeat(100_000))
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(process.waitFor()).as(output).isZero();
  }

  static final class OpenEnvironment {
    private OpenEnvironment() {}

    public static void main(String[] arguments) {
      OrtEnvironment.open().close();
    }
  }

  @Test
  void unpacksTheLibraryOnce(@TempDir Path folder) throws IOException {
    Path source = folder.resolve("libsomething.so");
    Files.writeString(source, "content");
    URI uri = source.toUri();

    Path unpacked = OrtLibrary.unpack(uri.toURL(), folder.resolve("cache"));
    Files.setLastModifiedTime(unpacked, java.nio.file.attribute.FileTime.fromMillis(0));
    Path again = OrtLibrary.unpack(uri.toURL(), folder.resolve("cache"));

    assertThat(again).isEqualTo(unpacked).hasContent("content");
    assertThat(Files.getLastModifiedTime(again).toMillis()).isZero();
    try (var files = Files.list(folder.resolve("cache"))) {
      assertThat(files).containsExactly(unpacked);
    }
  }

  @Test
  void unpacksToATemporaryFileIfTheFolderIsNotWritable(@TempDir Path folder) throws IOException {
    Path source = folder.resolve("libsomething.so");
    Files.writeString(source, "content");
    Path file = Files.writeString(folder.resolve("file"), "");

    Path unpacked = OrtLibrary.unpack(source.toUri().toURL(), file.resolve("cache"));

    assertThat(unpacked).hasContent("content");
    Files.delete(unpacked);
  }
}
