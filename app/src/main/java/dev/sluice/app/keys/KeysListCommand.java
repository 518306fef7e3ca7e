package dev.sluice.app.keys;

import dev.sluice.common.security.ApiKey;
import dev.sluice.common.security.Identity;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Lists keys. */
@Command(
    name = "list",
    description = "Lists the keys of a file: id, tenant, permissions.",
    mixinStandardHelpOptions = true)
final class KeysListCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private KeyFileOption file = new KeyFileOption();

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    out.printf("%-14s %-24s %s%n", "KEY", "TENANT", "PERMISSIONS");
    for (ApiKey key : file.read()) {
      Identity identity = key.identity();
      out.printf("%-14s %-24s %s%n", identity.name(), identity.tenant(), key.permissions());
    }
    out.flush();
    return ExitCode.OK;
  }
}
