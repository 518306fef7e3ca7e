package dev.sluice.router;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code sluice router} up to where it runs. */
class RouterCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    return new CommandLine(new RouterCommand())
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(args);
  }

  @Test
  void printsTheEffectiveConfiguration(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("router.yaml");
    Files.writeString(file, "policy: round-robin\nproxy:\n  max-attempts: 7\n");
    int code =
        run(
            "--config",
            file.toString(),
            "--port",
            "0",
            "--workers",
            "a:1,b:2",
            "--print-config",
            "--proxy.max-attempts",
            "3",
            "--channel.stream-window=64KiB");
    assertThat(err.toString()).isEmpty();
    assertThat(code).isZero();
    assertThat(out.toString())
        .contains("policy: round-robin")
        .contains("max-attempts: 3")
        .contains("stream-window: 64KiB")
        .contains("a:1")
        .contains("b:2");
    Path printed = folder.resolve("printed.yaml");
    Files.writeString(printed, out.toString());
    out.getBuffer().setLength(0);
    assertThat(run("--config", printed.toString(), "--print-config")).isZero();
    assertThat(out.toString()).isEqualTo(Files.readString(printed));
  }

  @Test
  void refusesUnknownKeys() {
    assertThat(run("--proxy.max-atempts", "3")).isEqualTo(2);
    assertThat(err.toString()).contains("proxy.max-atempts").contains("max-attempts");
  }

  @Test
  void refusesWrongValues() {
    assertThat(run("--policy", "fastest", "--print-config")).isEqualTo(2);
    assertThat(err.toString())
        .contains("fastest")
        .contains("least-outstanding, power-of-two, prefix-hash");
    assertThat(run("--workers", "nowhere", "--print-config")).isEqualTo(2);
    assertThat(err.toString()).contains("nowhere (expected: host:port");
    assertThat(run("--port", "many", "--print-config")).isEqualTo(2);
    assertThat(err.toString()).contains("many");
  }

  @Test
  void saysThatAPortIsTaken() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      int port = taken.getLocalPort();
      assertThat(run("--port", "" + port, "--http-port", "0", "--telemetry.enabled", "false"))
          .isEqualTo(1);
      assertThat(err.toString()).contains("127.0.0.1:" + port).contains("in use");
    }
  }

  @Test
  void writesThePortFile(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("ports");
    RouterConfig d = RouterFixture.config();
    RouterConfig config =
        new RouterConfig(
            d.server(),
            d.http(),
            d.workers(),
            d.policy(),
            d.index(),
            d.prompt(),
            d.fleet(),
            d.channel(),
            d.proxy(),
            d.admission(),
            d.tenants(),
            d.tls(),
            d.auth(),
            d.workersTls(),
            d.workersKey(),
            d.telemetry(),
            java.util.Optional.of(file));
    try (RouterMain router = RouterMain.start(config)) {
      assertThat(Files.readAllLines(file))
          .contains("grpc=" + router.port(), "http=" + router.httpPort().orElseThrow())
          .anyMatch(line -> line.startsWith("metrics="));
    }
  }
}
