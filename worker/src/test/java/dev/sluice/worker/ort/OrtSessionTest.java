package dev.sluice.worker.ort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

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
}
