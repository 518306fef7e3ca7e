package dev.sluice.app.keys;

import dev.sluice.app.cli.FailedException;
import dev.sluice.common.security.KeyFile;
import dev.sluice.common.security.SecurityFileException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Takes a key out of use. */
@Command(
    name = "revoke",
    description = {
      "Takes a key out of the file. Running processes that have the file refuse it within seconds;",
      "calls that run with it end as they would."
    },
    mixinStandardHelpOptions = true)
final class KeysRevokeCommand implements Callable<Integer> {
  @Parameters(paramLabel = "KEY", description = "Its id, as sluice keys list shows it.")
  private String id = "";

  @Mixin private KeyFileOption file = new KeyFileOption();

  @Override
  public Integer call() {
    try {
      if (KeyFile.remove(file.path(), key -> key.identity().name().equals(id)) == 0) {
        throw new FailedException("key " + id + " (expected: one of " + file.path() + ")");
      }
    } catch (SecurityFileException e) {
      throw new FailedException(String.valueOf(e.getMessage()), e);
    }
    return ExitCode.OK;
  }
}
