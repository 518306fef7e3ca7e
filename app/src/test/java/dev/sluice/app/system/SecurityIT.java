package dev.sluice.app.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.sluice.app.system.Sluice.Result;
import dev.sluice.common.server.PortFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** TLS on every hop and keys on every hop, with the commands that docs/security.md shows. */
final class SecurityIT {
  @TempDir private Path folder = Path.of("");

  @Test
  void everyHopIsEncryptedAndAsksWhoCalls() throws Exception {
    Path tls = certificates();
    String gold = create("keys", "gold", "generate");
    String ops = create("keys", "ops", "operate");
    String routers = create("worker-keys", "*", "router");
    Path shown = Files.writeString(folder.resolve("router.key"), routers);
    assertThat(Sluice.run("keys", "list", "--file", file("keys")).out())
        .contains("gold", "ops", "operate")
        .doesNotContain(gold);

    List<String> server =
        List.of(
            "--tls.certificate=" + tls.resolve("server.pem"),
            "--tls.private-key=" + tls.resolve("server.key"));
    try (Sluice worker =
            start(
                "worker",
                server,
                "--tls.client-ca=" + tls.resolve("ca.pem"),
                "--auth.keys=" + file("worker-keys"));
        Sluice router =
            start(
                "router",
                server,
                "--workers=localhost:" + ports("worker").get("grpc"),
                "--http-port=0",
                "--auth.keys=" + file("keys"),
                "--workers-key=" + shown,
                "--workers-tls.ca=" + tls.resolve("ca.pem"),
                "--workers-tls.certificate=" + tls.resolve("router.pem"),
                "--workers-tls.private-key=" + tls.resolve("router.key"))) {
      String target = "--target=localhost:" + ports("router").get("grpc");
      String ca = "--ca=" + tls.resolve("ca.pem");
      router.awaitErr(line -> line.contains(" is READY"));

      Result answer =
          Sluice.run("generate", "2 + 2 =", "--max-tokens=4", target, ca, key("gold", gold));
      assertThat(answer.code()).as(answer.err()).isZero();
      assertThat(answer.out()).isNotBlank();
      assertThat(Sluice.run("fleet", "list", target, ca, key("ops", ops)).out())
          .contains(" ready ");

      refused("PERMISSION_DENIED", "fleet", "list", target, ca, key("gold", gold));
      refused("PERMISSION_DENIED", "generate", "x", target, ca, key("ops", ops));
      refused("UNAUTHENTICATED", "generate", "x", target, ca);
      refused("UNAUTHENTICATED", "generate", "x", target, ca, key("wrong", "sk-sluice-wrong"));
      refused("UNAVAILABLE", "generate", "x", "--timeout=20s", target, key("gold", gold));
      String direct = "--target=localhost:" + ports("worker").get("grpc");
      refused("UNAVAILABLE", "generate", "x", "--timeout=20s", direct, ca, key("gold", gold));

      router.signal("TERM");
      Result ended = router.await();
      assertThat(ended.code()).isZero();
      assertThat(ended.err()).doesNotContain("sk-sluice-", "2 + 2");
      worker.signal("TERM");
      assertThat(worker.await().code()).isZero();
    }
  }

  @Test
  void aKeyFileThatCannotBeUsedEndsTheStart() throws Exception {
    Path missing = folder.resolve("missing");
    Result result = Sluice.run("router", "--port=0", "--http-port=0", "--auth.keys=" + missing);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("auth.keys: " + missing + ": no such file");
  }

  @Test
  void anOpenPortWarns() throws Exception {
    try (Sluice router =
        start("router", List.of("--server.host=0.0.0.0", "--http.enabled=false"))) {
      assertThat(router.awaitErr(line -> line.contains("WITHOUT AUTHENTICATION")))
          .contains("WARN", "gRPC listens on 0.0.0.0:", "--auth.keys");
    }
  }

  private static void refused(String status, String... command) throws Exception {
    Result result = Sluice.run(command);
    assertThat(result.code()).as(result.err()).isEqualTo(1);
    assertThat(result.err()).contains(status);
  }

  private Sluice start(String process, List<String> arguments, String... further) {
    List<String> all =
        new ArrayList<>(
            List.of(
                process,
                "--port=0",
                "--telemetry.metrics-port=0",
                "--port-file=" + folder.resolve(process + ".ports")));
    all.addAll(arguments);
    all.addAll(Arrays.asList(further));
    return Sluice.start(all.toArray(String[]::new));
  }

  private Map<String, Integer> ports(String process) throws Exception {
    return PortFile.await(folder.resolve(process + ".ports"), Duration.ofMinutes(2), () -> true)
        .orElseThrow();
  }

  private String file(String name) {
    return folder.resolve(name).toString();
  }

  private String create(String file, String tenant, String permission) throws Exception {
    Result created =
        Sluice.run(
            "keys",
            "create",
            "--file",
            file(file),
            "--tenant",
            tenant,
            "--permissions",
            permission);
    assertThat(created.code()).as(created.err()).isZero();
    return created.out().strip();
  }

  private String key(String name, String secret) throws IOException {
    return "--api-key-file=" + Files.writeString(folder.resolve(name + ".secret"), secret);
  }

  /** Runs the commands of the documentation that make certificates. */
  private Path certificates() throws Exception {
    String page = Files.readString(Path.of("..", "docs", "security.md"));
    String commands = page.split("```bash\n", 2)[1].split("```", 2)[0];
    Process shell =
        new ProcessBuilder("bash", "-euc", commands)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .start();
    String said = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int code = shell.waitFor();
    assumeThat(code).as("openssl is not here").isNotEqualTo(127);
    assertThat(code).as(said).isZero();
    return folder.resolve("tls");
  }
}
