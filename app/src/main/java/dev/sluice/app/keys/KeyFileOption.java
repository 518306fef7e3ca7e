package dev.sluice.app.keys;

import dev.sluice.app.cli.UsageException;
import dev.sluice.common.security.ApiKey;
import dev.sluice.common.security.KeyFile;
import dev.sluice.common.security.SecurityFileException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** Which file of keys. */
final class KeyFileOption {
  @Option(
      names = "--file",
      paramLabel = "FILE",
      required = true,
      description = "The file that routers and workers have as auth.keys.")
  private Path file = Path.of("");

  Path path() {
    return file;
  }

  List<ApiKey> read() {
    try {
      return KeyFile.read("--file", file);
    } catch (SecurityFileException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
  }
}
