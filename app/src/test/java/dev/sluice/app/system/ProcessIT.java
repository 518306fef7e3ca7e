package dev.sluice.app.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.common.server.PortFile;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Router and worker as processes of their own. */
final class ProcessIT {
  @TempDir private Path directory = Path.of("");

  @ParameterizedTest
  @ValueSource(strings = {"router", "worker"})
  void listensWhereItSaysAndEndsCleanlyWhenAsked(String command) throws Exception {
    Path portFile = directory.resolve("ports");
    try (Sluice process =
        Sluice.start(
            command,
            "--port=0",
            "--telemetry.metrics-port=0",
            "--port-file",
            portFile.toString())) {
      Map<String, Integer> ports =
          PortFile.await(portFile, Duration.ofMinutes(1), () -> true).orElseThrow();
      assertThat(ports.get("grpc")).isPositive();
      assertThat(ports.get("metrics")).isPositive();
      process.awaitErr(
          line -> line.contains(command.equals("worker") ? " ready after " : " listens on "));
      process.signal("TERM");
      assertThat(process.await().code()).isZero();
      assertThat(process.family()).isEmpty();
    }
  }
}
