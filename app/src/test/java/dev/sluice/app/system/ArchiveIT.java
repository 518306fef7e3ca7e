package dev.sluice.app.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.app.system.Sluice.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The archive, unpacked where there is neither Maven nor a checkout. */
final class ArchiveIT {
  private static final Path ARCHIVE = Path.of(System.getProperty("sluice.archive"));
  private static final String[] ANYWHERE = {"up", "--port=0", "--workers=1"};

  @TempDir private Path folder = Path.of("");
  private Path home = Path.of("");

  @BeforeEach
  void unpack() throws Exception {
    Process tar =
        new ProcessBuilder("tar", "xzf", ARCHIVE.toString(), "-C", folder.toString())
            .inheritIO()
            .start();
    assertThat(tar.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(tar.exitValue()).isZero();
    try (Stream<Path> unpacked = Files.list(folder)) {
      List<Path> folders = unpacked.toList();
      assertThat(folders).as("one folder").hasSize(1);
      home = folders.getFirst();
    }
  }

  @AfterEach
  void nothingIsWrittenBesideTheCache() throws Exception {
    try (Stream<Path> files = Files.list(home)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .isSubsetOf(
              "sluice", "lib", "jvm", "train", "config", "systemd", "LICENSE", "NOTICE", "aot");
    }
  }

  private String answer() throws Exception {
    try (Sluice up = Sluice.startOf(home, ANYWHERE)) {
      String target = up.awaitOut(line -> line.startsWith("router ")).substring("router ".length());
      Result answer =
          Sluice.runOf(
              home, "generate", "--target", target, "--temperature=0", "--max-tokens=8", "Hello");
      assertThat(answer.code()).as(answer.err()).isZero();
      up.signal("INT");
      assertThat(up.await().code()).isZero();
      return answer.out();
    }
  }

  @Test
  void runsAsItIsAndWithItsCache() throws Exception {
    assertThat(Sluice.runOf(home, "--version").out()).startsWith("sluice ");
    Result config =
        Sluice.runOf(
            home,
            "router",
            "--print-config",
            "--config",
            home.resolve("config").resolve("router.yaml").toString());
    assertThat(config.code()).as(config.err()).isZero();
    String answer = answer();
    assertThat(answer).isNotBlank();

    Result cache = Sluice.runOf(home, "aot");
    assertThat(cache.code()).as(cache.err()).isZero();
    assertThat(cache.out()).contains("router.aot", "worker.aot", "client.aot");
    assertThat(answer()).as("with the cache").isEqualTo(answer);
    assertThat(Sluice.runOf(home, "doctor").out()).contains("classes are cached in " + home);

    // One that was made for other jars is not used, and nobody is bothered with it.
    Path options = home.resolve("jvm").resolve("client.options");
    Files.writeString(options, Files.readString(options) + "-Dother=jars\n");
    Result other = Sluice.runOf(home, "doctor");
    assertThat(other.out()).contains("no cache of loaded classes");
    assertThat(other.err()).isEmpty();
  }
}
